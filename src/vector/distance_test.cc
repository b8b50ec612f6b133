#include "vector/distance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "vector/kernels.h"

namespace redoubt::vector {
namespace {

std::vector<float> RandomFloats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<const Kernels*> KernelsOfThisProcessor() {
  std::vector<const Kernels*> all = {&ScalarKernels()};
#if defined(__x86_64__)
  if (Avx2Kernels() != nullptr && __builtin_cpu_supports("avx2")) all.push_back(Avx2Kernels());
  if (Avx512Kernels() != nullptr && __builtin_cpu_supports("avx512f")) all.push_back(Avx512Kernels());
#endif
  return all;
}

TEST(KernelsTest, EveryInstructionSetAgreesWithDoubleArithmetic) {
  constexpr size_t kRows = 7;  // four together and three alone
  for (size_t dim : {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 128, 257, 768}) {
    std::vector<float> query = RandomFloats(dim, 1);
    std::vector<float> rows = RandomFloats(kRows * dim, 2);
    for (const Kernels* kernels : KernelsOfThisProcessor()) {
      float l2[kRows];
      float dot[kRows];
      kernels->squared_l2(query.data(), rows.data(), kRows, dim, l2);
      kernels->dot(query.data(), rows.data(), kRows, dim, dot);
      for (size_t r = 0; r < kRows; ++r) {
        double want_l2 = 0;
        double want_dot = 0;
        for (size_t i = 0; i < dim; ++i) {
          double x = rows[r * dim + i];
          want_l2 += (query[i] - x) * (query[i] - x);
          want_dot += query[i] * x;
        }
        double slack = 1e-5 * static_cast<double>(dim);
        EXPECT_NEAR(l2[r], want_l2, slack) << kernels->name << " dim " << dim << " row " << r;
        EXPECT_NEAR(dot[r], want_dot, slack) << kernels->name << " dim " << dim << " row " << r;
      }
    }
  }
}

TEST(DistanceTest, IsSquaredForL2AndOneMinusForTheOthers) {
  const float a[] = {1, 0};
  const float b[] = {0, 2};
  EXPECT_FLOAT_EQ(Distance(Metric::kL2, a, b, 2), 5);
  EXPECT_FLOAT_EQ(Distance(Metric::kIp, b, b, 2), 1 - 4);
  EXPECT_FLOAT_EQ(Distance(Metric::kCosine, a, b, 2), 1);
  EXPECT_FLOAT_EQ(Distance(Metric::kCosine, b, b, 2), 0);
}

TEST(DistanceTest, PutsAZeroVectorAtCosineDistanceOne) {
  const float zero[] = {0, 0};
  const float b[] = {0, 2};
  EXPECT_FLOAT_EQ(Distance(Metric::kCosine, zero, b, 2), 1);
}

TEST(MetricTest, IsReadInEitherCase) {
  EXPECT_EQ(ParseMetric("cosine"), Metric::kCosine);
  EXPECT_EQ(ParseMetric("L2"), Metric::kL2);
  EXPECT_EQ(ParseMetric("L"), std::nullopt);
}

}  // namespace
}  // namespace redoubt::vector
