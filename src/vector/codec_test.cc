#include "vector/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace redoubt::vector {
namespace {

// `offset` is where the data lies; its spread is 1.
std::vector<float> RandomVector(size_t dim, float offset, std::mt19937& random) {
  std::normal_distribution<float> normal(offset);
  std::vector<float> vector(dim);
  for (float& x : vector) x = normal(random);
  return vector;
}

float DistanceOf(const Codec& codec, const CodeTarget& target, const OwnCode& code) {
  const std::byte* const row = code.code();
  float distance;
  codec.Measure(target, &row, 1, &distance);
  return distance;
}

// Of two codes.
float DistanceOf(const Codec& codec, const OwnCode& a, const OwnCode& b) {
  CodeTarget target;
  codec.SetTarget(a.code(), target);
  return DistanceOf(codec, target, b);
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
    OwnCode code(codec);
    EXPECT_TRUE(codec.Encode(b, code.code()));
    CodeTarget target;
    EXPECT_TRUE(codec.SetTarget(a, target));
    const float distance = DistanceOf(codec, target, code);
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

TEST(CodecTest, FewerBitsAreLessExact) {
  EXPECT_LT(WorstError(Metric::kL2, Storage::kInt4, 0, {}), 20.0f);  // of about 200
  EXPECT_LT(WorstError(Metric::kCosine, Storage::kInt4, 0, {}), 0.1f);
  EXPECT_LT(WorstError(Metric::kL2, Storage::kBinary, 0, {}), 60.0f);
  EXPECT_LT(WorstError(Metric::kCosine, Storage::kBinary, 0, {}), 0.3f);
}

// With a few bits an error is large, but it is as often too much as too little.
TEST(CodecTest, FewBitsAreRightOnAverage) {
  constexpr size_t kDim = 192;
  for (Storage storage : {Storage::kInt4, Storage::kBinary}) {
    const Codec codec(kDim, Metric::kIp, storage, {});
    std::mt19937 random(5);
    double error = 0;
    double size = 0;
    for (int i = 0; i < 500; ++i) {
      const std::vector<float> a = RandomVector(kDim, 0, random);
      std::vector<float> b = RandomVector(kDim, 0, random);
      for (size_t e = 0; e < kDim; ++e) b[e] += a[e];
      OwnCode code(codec);
      CodeTarget target;
      ASSERT_TRUE(codec.Encode(b, code.code()));
      ASSERT_TRUE(codec.SetTarget(a, target));
      const double exact = Distance(Metric::kIp, a.data(), b.data(), kDim);
      error += DistanceOf(codec, target, code) - exact;
      size += std::abs(exact);
    }
    EXPECT_LT(std::abs(error), 0.02 * size) << StorageName(storage);
  }
}

// Where all that a vector has is one element, its sign is not all that is kept.
TEST(CodecTest, FewBitsTellSparseVectorsApart) {
  constexpr size_t kDim = 64;
  for (Storage storage : {Storage::kInt4, Storage::kBinary}) {
    const Codec codec(kDim, Metric::kCosine, storage, {});
    for (size_t one = 0; one < kDim; ++one) {
      std::vector<float> vector(kDim);
      vector[one] = 1;
      OwnCode same(codec);
      ASSERT_TRUE(codec.Encode(vector, same.code()));
      CodeTarget target;
      ASSERT_TRUE(codec.SetTarget(vector, target));
      vector[one] = 0;
      vector[(one + 1) % kDim] = 1;
      OwnCode other(codec);
      ASSERT_TRUE(codec.Encode(vector, other.code()));
      EXPECT_LT(DistanceOf(codec, target, same) + 0.2f, DistanceOf(codec, target, other)) << StorageName(storage);
    }
  }
}

TEST(CodecTest, ACodeIsSmallAndSound) {
  const std::pair<Storage, size_t> kBytes[] = {
      {Storage::kInt8, 128}, {Storage::kFloat32, 400}, {Storage::kInt4, 64}, {Storage::kBinary, 16}};
  std::mt19937 random(6);
  for (const auto& [storage, bytes] : kBytes) {
    for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
      const Codec codec(100, metric, storage, {});
      EXPECT_EQ(codec.code_bytes(), bytes) << StorageName(storage);
      OwnCode code(codec);
      ASSERT_TRUE(codec.Encode(RandomVector(100, 3, random), code.code()));
      EXPECT_TRUE(codec.IsSound(code.code()));
    }
  }
}

TEST(CodecTest, ACentreKeepsThePrecisionOfDataFarFromTheOrigin) {
  const std::vector<float> centre(100, 50.0f);
  EXPECT_LT(WorstError(Metric::kL2, Storage::kInt8, 50, centre), 2.0f);
  EXPECT_GT(WorstError(Metric::kL2, Storage::kInt8, 50, {}), 10.0f);
  EXPECT_LT(WorstError(Metric::kIp, Storage::kInt8, 50, centre), 1.0f);  // of 250,000
  EXPECT_LT(WorstError(Metric::kL2, Storage::kBinary, 50, centre), 60.0f);
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
    EXPECT_NEAR(DistanceOf(codec, a, a), 0, 1e-4);
    EXPECT_GT(DistanceOf(codec, a, b), -1e-4);
  }
}

TEST(CodecTest, AZeroVectorIsAtCosineDistanceOne) {
  const Codec codec(4, Metric::kCosine, Storage::kInt8, {});
  OwnCode zero(codec);
  OwnCode one(codec);
  ASSERT_TRUE(codec.Encode(std::vector<float>{0, 0, 0, 0}, zero.code()));
  ASSERT_TRUE(codec.Encode(std::vector<float>{0, 3, 0, 0}, one.code()));
  EXPECT_FLOAT_EQ(DistanceOf(codec, zero, one), 1);
}

TEST(CodecTest, RefusesWhatIsNotFinite) {
  const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 3e38f};
  for (Storage storage : kStorages) {
    const Codec codec(2, Metric::kL2, storage, {});
    OwnCode code(codec);
    for (float x : bad) EXPECT_FALSE(codec.Encode(std::vector<float>{1, x}, code.code())) << x;
    EXPECT_TRUE(codec.Encode(std::vector<float>{1, 1e-44f}, code.code()));
    EXPECT_TRUE(codec.Encode(std::vector<float>{1e-44f, 0}, code.code()));
  }
}

}  // namespace
}  // namespace redoubt::vector
