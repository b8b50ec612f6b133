#include "vector/query_vector.h"

#include <gtest/gtest.h>

#include "vector/element_kernels.h"
#include "vector/test_vectors.h"

namespace redoubt::vector {
namespace {

constexpr size_t kDims[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 128, 257, 768, 1537};
constexpr Metric kMetrics[] = {Metric::kL2, Metric::kIp, Metric::kCosine};

std::vector<const ElementKernels*> KernelsOfThisProcessor() {
  std::vector<const ElementKernels*> all = {&ScalarElementKernels()};
  if (Avx2ElementKernels() != nullptr && ProcessorHasF16c()) all.push_back(Avx2ElementKernels());
  return all;
}

// `rows` stand one after another in memory as those of an index do, without any alignment of their own.
template <class Query, class Element, class Value>
void ExpectKernelsAgree(const char* name, const RowKernels<Query, Element, Value>& kernels, ElementType type,
                        bool widened) {
  constexpr size_t kRows = 3;
  std::mt19937 random(5);
  for (size_t dim : kDims) {
    const TypedVector query = RandomTyped(type, dim, random);
    std::vector<TypedVector> vectors;
    std::vector<Element> rows(kRows * dim);
    for (size_t r = 0; r < kRows; ++r) {
      vectors.push_back(RandomTyped(type, dim, random));
      std::memcpy(rows.data() + r * dim, vectors[r].blob.data(), vectors[r].blob.size());
    }
    std::vector<Query> elements(dim);
    if (widened) {
      std::copy(query.values.begin(), query.values.end(), elements.begin());
    } else {
      std::memcpy(elements.data(), query.blob.data(), query.blob.size());
    }
    Value l2[kRows];
    Value dot[kRows];
    kernels.squared_l2(elements.data(), rows.data(), kRows, dim, l2);
    kernels.dot(elements.data(), rows.data(), kRows, dim, dot);
    for (size_t r = 0; r < kRows; ++r) {
      const double slack = Slack(type, Metric::kL2, query, vectors[r]);
      EXPECT_NEAR(l2[r], DistanceByDefinition(Metric::kL2, query.values, vectors[r].values), slack)
          << name << " " << ElementName(type) << " dim " << dim << " row " << r;
      EXPECT_NEAR(dot[r], DotByDefinition(query.values, vectors[r].values), slack)
          << name << " " << ElementName(type) << " dim " << dim << " row " << r;
    }
  }
}

TEST(ElementKernelsTest, EveryInstructionSetAgreesWithDoubleArithmetic) {
  for (const ElementKernels* kernels : KernelsOfThisProcessor()) {
    ExpectKernelsAgree(kernels->name, kernels->float64, ElementType::kFloat64, false);
    ExpectKernelsAgree(kernels->name, kernels->float16, ElementType::kFloat16, true);
    ExpectKernelsAgree(kernels->name, kernels->bfloat16, ElementType::kBFloat16, true);
    ExpectKernelsAgree(kernels->name, kernels->int8, ElementType::kInt8, false);
    ExpectKernelsAgree(kernels->name, kernels->uint8, ElementType::kUInt8, false);
  }
}

TEST(ElementKernelsTest, IntegersDoNotOverflowAtTheLargestDim) {
  constexpr size_t kDim = 32768;
  const std::vector<uint8_t> high(kDim, 255), zero(kDim, 0);
  const std::vector<int8_t> lowest(kDim, -128), highest(kDim, 127);
  for (const ElementKernels* kernels : KernelsOfThisProcessor()) {
    int32_t value;
    kernels->uint8.dot(high.data(), high.data(), 1, kDim, &value);
    EXPECT_EQ(value, 255 * 255 * 32768);
    kernels->uint8.squared_l2(zero.data(), high.data(), 1, kDim, &value);
    EXPECT_EQ(value, 255 * 255 * 32768);
    kernels->int8.dot(lowest.data(), lowest.data(), 1, kDim, &value);
    EXPECT_EQ(value, 128 * 128 * 32768);
    kernels->int8.squared_l2(lowest.data(), highest.data(), 1, kDim, &value);
    EXPECT_EQ(value, 255 * 255 * 32768);
  }
}

TEST(ElementKernelsTest, WidensEveryHalfAlike) {
  std::vector<uint16_t> halves(0x10000 + 3);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> wide(halves.size());
  for (const ElementKernels* kernels : KernelsOfThisProcessor()) {
    kernels->widen_halves(halves.data(), halves.size(), wide.data());
    for (size_t i = 0; i < halves.size(); ++i) {
      const float want = HalfToFloat(halves[i]);
      ASSERT_TRUE(wide[i] == want || (std::isnan(wide[i]) && std::isnan(want))) << kernels->name << " " << i;
    }
  }
}

TEST(QueryVectorTest, MeasuresEveryTypeAndMetricAsDefined) {
  std::mt19937 random(9);
  for (ElementType type : kElementTypes) {
    for (Metric metric : kMetrics) {
      for (size_t dim : kDims) {
        const TypedVector a = RandomTyped(type, dim, random);
        const TypedVector b = RandomTyped(type, dim, random);
        const std::string shifted = "x" + b.blob;  // an address that is not aligned
        EXPECT_NEAR(QueryVector(type, metric, a.blob).DistanceTo(std::string_view(shifted).substr(1)),
                    DistanceByDefinition(metric, a.values, b.values), Slack(type, metric, a, b))
            << ElementName(type) << " " << MetricName(metric) << " dim " << dim;
      }
    }
  }
}

TEST(QueryVectorTest, PutsAZeroVectorAtCosineDistanceOne) {
  std::mt19937 random(1);
  for (ElementType type : kElementTypes) {
    const TypedVector some = RandomTyped(type, 5, random);
    const std::string zero(some.blob.size(), '\0');
    EXPECT_EQ(QueryVector(type, Metric::kCosine, some.blob).DistanceTo(zero), 1);
    EXPECT_EQ(QueryVector(type, Metric::kCosine, zero).DistanceTo(some.blob), 1);
  }
}

}  // namespace
}  // namespace redoubt::vector
