#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace redoubt::base {

// Durations in microseconds, counted in buckets of which four fill each power of two: a percentile is at most 25 %
// above the true one. Takes memory only up to the longest duration seen. Not safe on several threads.
class LatencyHistogram {
 public:
  void Record(uint64_t us);
  uint64_t count() const { return count_; }
  // The upper end of the bucket that holds the `q` quantile, 0 < q <= 1; 0 when nothing was recorded.
  uint64_t Quantile(double q) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
};

}  // namespace redoubt::base
