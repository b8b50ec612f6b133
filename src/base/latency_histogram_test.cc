#include "base/latency_histogram.h"

#include <gtest/gtest.h>

namespace redoubt::base {
namespace {

TEST(LatencyHistogramTest, AQuantileIsWithinAQuarterOfTheTruth) {
  LatencyHistogram histogram;
  for (uint64_t us = 1; us <= 100'000; ++us) histogram.Record(us);
  for (double q : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double truth = q * 100'000;
    const auto found = static_cast<double>(histogram.Quantile(q));
    EXPECT_GE(found, truth) << q;
    EXPECT_LE(found, truth * 1.25 + 1) << q;
  }
}

TEST(LatencyHistogramTest, EveryValueLiesInItsBucket) {
  for (uint64_t us = 0; us < 5000; ++us) {
    LatencyHistogram histogram;
    histogram.Record(us);
    EXPECT_GE(histogram.Quantile(0.5), us);
    EXPECT_LE(histogram.Quantile(0.5), us + us / 4 + 1);
  }
}

TEST(LatencyHistogramTest, IsZeroWhenEmptyAndHoldsTheLongest) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.Quantile(0.99), 0U);
  histogram.Record(UINT64_MAX);
  EXPECT_GT(histogram.Quantile(0.99), uint64_t{1} << 59);
}

}  // namespace
}  // namespace redoubt::base
