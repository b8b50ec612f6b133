#include "server/http/stats.h"

#include <algorithm>

namespace redoubt::http {
namespace {

// A method is the caller's word: only those that HTTP defines become a key of their own.
const std::string& Counted(const std::string& method) {
  static const std::array<std::string, 10> counted = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                      "CONNECT", "OPTIONS", "TRACE", "PATCH", "other"};
  return *std::find(counted.begin(), counted.end() - 1, method);
}

}  // namespace

void Stats::Record(const std::string& method, const std::string& route, int status, int64_t micros) {
  double seconds = static_cast<double>(micros) / 1e6;
  std::lock_guard lock(mu_);
  Route& entry = routes_[{Counted(method), route}];
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
