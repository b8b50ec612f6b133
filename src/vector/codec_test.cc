#include "vector/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "vector/code_kernels.h"

namespace redoubt::vector {
namespace {

std::vector<const CodeKernels*> KernelsOfThisProcessor() {
  std::vector<const CodeKernels*> all = {&ScalarCodeKernels()};
#if defined(__x86_64__)
  if (Avx2CodeKernels() != nullptr && __builtin_cpu_supports("avx2")) all.push_back(Avx2CodeKernels());
  if (VnniCodeKernels() != nullptr && ProcessorHasVnni()) all.push_back(VnniCodeKernels());
#endif
  return all;
}

void ExpectRightDots(size_t bytes, size_t count, const std::function<int8_t()>& element) {
  std::vector<int8_t> query(bytes);
  std::vector<int8_t> codes(bytes * count);
  for (int8_t& x : query) x = element();
  for (int8_t& x : codes) x = element();
  std::vector<const int8_t*> rows;
  for (size_t r = 0; r < count; ++r) rows.push_back(codes.data() + r * bytes);
  for (const CodeKernels* kernels : KernelsOfThisProcessor()) {
    std::vector<int32_t> dots(count);
    kernels->dot(query.data(), rows.data(), count, bytes, dots.data());
    for (size_t r = 0; r < count; ++r) {
      int32_t want = 0;
      for (size_t i = 0; i < bytes; ++i) want += query[i] * rows[r][i];
      EXPECT_EQ(dots[r], want) << kernels->name << " bytes " << bytes << " row " << r << " of " << count;
    }
  }
}

TEST(CodeKernelsTest, EveryInstructionSetIsExact) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> element(-127, 127);
  for (size_t bytes : {32, 64, 96, 128, 160, 768}) {
    for (size_t count : {0, 1, 3, 4, 5, 9, 32}) {
      ExpectRightDots(bytes, count, [&] { return static_cast<int8_t>(element(random)); });
    }
  }
}

TEST(CodeKernelsTest, TheLargestSumsDoNotOverflow) {
  for (int8_t extreme : {int8_t{127}, int8_t{-127}}) ExpectRightDots(32768, 5, [&] { return extreme; });
}

// `offset` is where the data lies; its spread is 1.
std::vector<float> RandomVector(size_t dim, float offset, std::mt19937& random) {
  std::normal_distribution<float> normal(offset);
  std::vector<float> vector(dim);
  for (float& x : vector) x = normal(random);
  return vector;
}

// The largest difference between the distance of codes and that of the vectors.
float WorstError(Metric metric, Storage storage, float offset, std::span<const float> centre) {
  constexpr size_t kDim = 100;  // no multiple of anything
  const Codec codec(kDim, metric, storage, centre);
  std::mt19937 random(3);
  float worst = 0;
  for (int i = 0; i < 200; ++i) {
    const std::vector<float> a = RandomVector(kDim, offset, random);
    const std::vector<float> b = RandomVector(kDim, offset, random);
    OwnCode code_a(codec);
    OwnCode code_b(codec);
    EXPECT_TRUE(codec.Encode(a, code_a.code()));
    EXPECT_TRUE(codec.Encode(b, code_b.code()));
    const std::byte* other = code_b.code();
    float distance;
    codec.Measure(code_a.code(), &other, 1, &distance);
    worst = std::max(worst, std::abs(distance - Distance(metric, a.data(), b.data(), kDim)));
  }
  return worst;
}

TEST(CodecTest, DistancesOfCodesAreNearThoseOfTheVectors) {
  EXPECT_LT(WorstError(Metric::kL2, Storage::kInt8, 0, {}), 2.0f);  // of about 200
  EXPECT_LT(WorstError(Metric::kIp, Storage::kInt8, 0, {}), 0.5f);  // of about 10
  EXPECT_LT(WorstError(Metric::kCosine, Storage::kInt8, 0, {}), 0.01f);
  EXPECT_LT(WorstError(Metric::kL2, Storage::kFloat32, 0, {}), 1e-3f);
  EXPECT_LT(WorstError(Metric::kCosine, Storage::kFloat32, 0, {}), 1e-5f);
}

TEST(CodecTest, ACentreKeepsThePrecisionOfDataFarFromTheOrigin) {
  const std::vector<float> centre(100, 50.0f);
  EXPECT_LT(WorstError(Metric::kL2, Storage::kInt8, 50, centre), 2.0f);
  EXPECT_GT(WorstError(Metric::kL2, Storage::kInt8, 50, {}), 10.0f);
  EXPECT_LT(WorstError(Metric::kIp, Storage::kInt8, 50, centre), 1.0f);  // of 250,000
}

TEST(CodecTest, EqualVectorsAreAtDistanceZeroAndNoneIsBelow) {
  const Codec codec(8, Metric::kL2, Storage::kInt8, {});
  std::mt19937 random(4);
  for (int i = 0; i < 100; ++i) {
    std::vector<float> vector = RandomVector(8, 0, random);
    OwnCode a(codec);
    OwnCode b(codec);
    ASSERT_TRUE(codec.Encode(vector, a.code()));
    vector[3] *= 1.0001f;
    ASSERT_TRUE(codec.Encode(vector, b.code()));
    const std::byte* codes[] = {a.code(), b.code()};
    float distances[2];
    codec.Measure(a.code(), codes, 2, distances);
    EXPECT_NEAR(distances[0], 0, 1e-4);
    EXPECT_GT(distances[1], -1e-4);
  }
}

TEST(CodecTest, AZeroVectorIsAtCosineDistanceOne) {
  const Codec codec(4, Metric::kCosine, Storage::kInt8, {});
  OwnCode zero(codec);
  OwnCode one(codec);
  ASSERT_TRUE(codec.Encode(std::vector<float>{0, 0, 0, 0}, zero.code()));
  ASSERT_TRUE(codec.Encode(std::vector<float>{0, 3, 0, 0}, one.code()));
  const std::byte* code = one.code();
  float distance;
  codec.Measure(zero.code(), &code, 1, &distance);
  EXPECT_FLOAT_EQ(distance, 1);
}

TEST(CodecTest, RefusesWhatIsNotFinite) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 3e38f};
  for (Storage storage : {Storage::kInt8, Storage::kFloat32}) {
    const Codec codec(2, Metric::kL2, storage, {});
    OwnCode code(codec);
    for (float x : bad) EXPECT_FALSE(codec.Encode(std::vector<float>{1, x}, code.code())) << x;
    EXPECT_TRUE(codec.Encode(std::vector<float>{1, 1e-44f}, code.code()));
    EXPECT_TRUE(codec.Encode(std::vector<float>{1e-44f, 0}, code.code()));
  }
}

}  // namespace
}  // namespace redoubt::vector
