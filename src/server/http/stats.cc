#include "server/http/stats.h"

namespace redoubt::http {

void Stats::Record(const std::string& method, const std::string& route, int status, int64_t micros) {
  double seconds = static_cast<double>(micros) / 1e6;
  std::lock_guard lock(mu_);
  Route& entry = routes_[{method, route}];
  ++entry.by_status[status];
  ++entry.count;
  entry.seconds += seconds;
  for (size_t i = 0; i < kBucketSeconds.size(); ++i) {
    if (seconds <= kBucketSeconds[i]) {
      ++entry.buckets[i];
      break;
    }
  }
}

std::map<std::pair<std::string, std::string>, Stats::Route> Stats::routes() const {
  std::lock_guard lock(mu_);
  return routes_;
}

}  // namespace redoubt::http
