#include "base/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace redoubt::base {
namespace {

// 0 to 3 have a bucket each; from 4 on the two bits behind the leading one choose the quarter.
size_t BucketOf(uint64_t us) {
  if (us < 4) return static_cast<size_t>(us);
  const int exponent = std::bit_width(us) - 1;
  return static_cast<size_t>(exponent - 1) * 4 + static_cast<size_t>((us >> (exponent - 2)) & 3);
}

uint64_t UpperEnd(size_t bucket) {
  if (bucket < 4) return bucket;
  const size_t exponent = bucket / 4 + 1;
  const uint64_t quarter = uint64_t{1} << (exponent - 2);
  return (4 + bucket % 4 + 1) * quarter - 1;
}

}  // namespace

void LatencyHistogram::Record(uint64_t us) {
  const size_t bucket = BucketOf(std::min(us, uint64_t{1} << 60));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
}

uint64_t LatencyHistogram::Quantile(double q) const {
  const auto rank = static_cast<uint64_t>(std::ceil(q * static_cast<double>(count_)));
  uint64_t below = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    below += buckets_[bucket];
    if (below >= rank && below > 0) return UpperEnd(bucket);
  }
  return 0;
}

}  // namespace redoubt::base
