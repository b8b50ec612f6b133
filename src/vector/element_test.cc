#include "vector/element.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace redoubt::vector {
namespace {

template <class Element>
std::string BlobOf(std::vector<Element> elements) {
  return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(Element)};
}

// Decoded from an odd address, as blobs in keys may lie.
std::vector<float> Decoded(ElementType type, const std::string& blob, bool finite = true) {
  std::string shifted = "x" + blob;
  std::vector<float> out(blob.size() / ElementBytes(type));
  EXPECT_EQ(DecodeElements(type, std::string_view(shifted).substr(1), out), finite) << ElementName(type);
  return out;
}

TEST(ElementTest, NamesAreReadInEitherCase) {
  for (ElementType type : kElementTypes) EXPECT_EQ(ParseElementType(ElementName(type)), type);
  EXPECT_EQ(ParseElementType("bfloat16"), ElementType::kBFloat16);
  EXPECT_EQ(ParseElementType("FLOAT"), std::nullopt);
}

TEST(ElementTest, DecodesEveryType) {
  EXPECT_EQ(Decoded(ElementType::kFloat32, BlobOf<float>({1.5f, -2})), (std::vector<float>{1.5f, -2}));
  EXPECT_EQ(Decoded(ElementType::kFloat64, BlobOf<double>({1.5, 0.1})), (std::vector<float>{1.5f, 0.1f}));
  EXPECT_EQ(Decoded(ElementType::kInt8, BlobOf<int8_t>({-128, 127, 0})), (std::vector<float>{-128, 127, 0}));
  EXPECT_EQ(Decoded(ElementType::kUInt8, BlobOf<uint8_t>({255, 0, 128})), (std::vector<float>{255, 0, 128}));
  EXPECT_EQ(Decoded(ElementType::kBFloat16, BlobOf<uint16_t>({0x3f80, 0xc040})), (std::vector<float>{1, -3}));
}

TEST(ElementTest, SaysWhenAFloat64IsTooLargeForAFloat) {
  std::vector<float> out = Decoded(ElementType::kFloat64, BlobOf<double>({1e300, 1}), false);
  EXPECT_TRUE(std::isinf(out[0]));
  EXPECT_EQ(out[1], 1);
}

TEST(ElementTest, DecodesTheEdgesOfHalfPrecision) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Decoded(ElementType::kFloat16, BlobOf<uint16_t>({0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x83ff, 0x8000})),
            (std::vector<float>{1, -2, 65504, 0x1p-14f, 0x1p-24f, -1023 * 0x1p-24f, -0.0f}));
  EXPECT_EQ(Decoded(ElementType::kFloat16, BlobOf<uint16_t>({0x7c00, 0xfc00}), false), (std::vector<float>{inf, -inf}));
  EXPECT_TRUE(std::isnan(Decoded(ElementType::kFloat16, BlobOf<uint16_t>({0x7e01}), false)[0]));
  EXPECT_EQ(Decoded(ElementType::kBFloat16, BlobOf<uint16_t>({0x0001})), std::vector<float>{0x1p-133f});
  EXPECT_TRUE(std::isnan(Decoded(ElementType::kBFloat16, BlobOf<uint16_t>({0xffc0}), false)[0]));
}

// Every half against its definition: sign * significand * 2 to the exponent.
TEST(ElementTest, DecodesEveryFiniteHalf) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    int exponent = static_cast<int>(bits >> 10 & 31);
    if (exponent == 31) continue;
    double significand = static_cast<double>(bits & 1023) + (exponent > 0 ? 1024 : 0);
    double want = std::ldexp(significand, std::max(exponent, 1) - 25) * (bits & 0x8000 ? -1 : 1);
    ASSERT_EQ(HalfToFloat(static_cast<uint16_t>(bits)), want) << bits;
  }
}

}  // namespace
}  // namespace redoubt::vector
