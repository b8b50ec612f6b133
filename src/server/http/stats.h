#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/thread_annotations.h"

namespace redoubt::http {

// What the server has done since it started, for /metrics. Safe on many threads.
class Stats {
 public:
  static constexpr std::array<double, 10> kBucketSeconds = {0.001, 0.005, 0.015, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

  struct Route {
    std::map<int, uint64_t> by_status;
    std::array<uint64_t, kBucketSeconds.size()> buckets{};  // not cumulative; slower ones are in count only
    uint64_t count = 0;
    double seconds = 0;
  };

  // `route` is a pattern, not a path, and a method that HTTP does not define counts as "other": the set stays small
  // whatever callers send.
  void Record(const std::string& method, const std::string& route, int status, int64_t micros);
  std::map<std::pair<std::string, std::string>, Route> routes() const;  // by method and pattern

  std::atomic<int64_t> open_connections{0};
  std::atomic<int64_t> open_streams{0};
  std::atomic<uint64_t> connections{0};
  std::atomic<uint64_t> overloaded{0};  // refused because a queue or the number of connections was at its limit

 private:
  mutable std::mutex mu_;
  std::map<std::pair<std::string, std::string>, Route> routes_ GUARDED_BY(mu_);
};

}  // namespace redoubt::http
