#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "tensor/float16.h"

namespace redoubt::tensor {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

class CountingMemory final : public base::MemoryResource {
 public:
  void* Allocate(size_t bytes, size_t alignment) override {
    if (used_ + bytes > limit_) return nullptr;
    used_ += bytes;
    return base::DefaultMemory().Allocate(bytes, alignment);
  }
  void Deallocate(void* p, size_t bytes, size_t alignment) override {
    used_ -= bytes;
    base::DefaultMemory().Deallocate(p, bytes, alignment);
  }
  size_t used_ = 0;
  size_t limit_ = std::numeric_limits<size_t>::max();
};

TEST(ShapeTest, RefusesAProductThatOverflows) {
  EXPECT_FALSE(ElementCount(std::vector<int64_t>{4294967296, 4294967296}).ok());
  EXPECT_FALSE(ByteSize(DType::kFloat64, std::vector<int64_t>{int64_t{1} << 61}).ok());
  EXPECT_FALSE(ElementCount(std::vector<int64_t>{2, -1}).ok());
  EXPECT_FALSE(ElementCount(std::vector<int64_t>(kMaxRank + 1, 1)).ok());
}

TEST(ShapeTest, AZeroDimensionDoesNotHideAnOverflow) {
  EXPECT_FALSE(ElementCount(std::vector<int64_t>{0, 4294967296, 4294967296}).ok());
  EXPECT_EQ(*ElementCount(std::vector<int64_t>{0, 7}), 0U);
}

TEST(ShapeTest, AScalarHasOneElement) { EXPECT_EQ(*ElementCount({}), 1U); }

TEST(DTypeTest, NamesAreReadInAnyCase) {
  for (int i = 0; i < kDTypeCount; ++i) {
    const DType dtype = *DTypeFromNumber(i);
    std::string name(DTypeName(dtype));
    EXPECT_EQ(ParseDType(name), dtype);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(ParseDType(name), dtype);
  }
  EXPECT_EQ(ParseDType("FLOAT99"), std::nullopt);
  EXPECT_EQ(DTypeFromNumber(kDTypeCount), std::nullopt);
  EXPECT_EQ(DTypeFromNumber(-1), std::nullopt);
}

TEST(TensorTest, StartsWithZeros) {
  auto tensor = Tensor::Create(DType::kFloat32, {2, 2}, base::DefaultMemory());
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ((*tensor)->byte_size(), 16U);
  for (float f : (*tensor)->As<float>()) EXPECT_EQ(f, 0.0F);
}

TEST(TensorTest, StringsStartEmpty) {
  auto tensor = Tensor::Create(DType::kString, {3}, base::DefaultMemory());
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ((*tensor)->StringAt(2), "");
  EXPECT_EQ((*tensor)->byte_size(), 3U);
}

TEST(TensorTest, TakesABlobOfTheRightLengthOnly) {
  const float values[] = {1, 2, 3, 4};
  std::span<const std::byte> blob = std::as_bytes(std::span(values));
  auto tensor = Tensor::FromBlob(DType::kFloat32, {2, 2}, blob, base::DefaultMemory());
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ((*tensor)->As<float>()[3], 4.0F);
  EXPECT_FALSE(Tensor::FromBlob(DType::kFloat32, {2, 2}, blob.first(15), base::DefaultMemory()).ok());
  EXPECT_FALSE(Tensor::FromBlob(DType::kFloat32, {5}, blob, base::DefaultMemory()).ok());
}

TEST(TensorTest, ChecksEveryBooleanOfABlob) {
  EXPECT_TRUE(Tensor::FromBlob(DType::kBool, {2}, Bytes(std::string_view("\0\1", 2)), base::DefaultMemory()).ok());
  EXPECT_FALSE(Tensor::FromBlob(DType::kBool, {2}, Bytes(std::string_view("\0\7", 2)), base::DefaultMemory()).ok());
}

TEST(TensorTest, ReadsStringsOfABlob) {
  auto tensor = Tensor::FromBlob(DType::kString, {3}, Bytes(std::string_view("ab\0\0c\0", 6)), base::DefaultMemory());
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ((*tensor)->StringAt(0), "ab");
  EXPECT_EQ((*tensor)->StringAt(1), "");
  EXPECT_EQ((*tensor)->StringAt(2), "c");
}

TEST(TensorTest, RefusesAStringBlobWithAnotherCount) {
  auto make = [](std::string_view blob, int64_t n) {
    return Tensor::FromBlob(DType::kString, {n}, Bytes(blob), base::DefaultMemory()).ok();
  };
  EXPECT_FALSE(make(std::string_view("ab\0c\0", 5), 3));
  EXPECT_FALSE(make(std::string_view("ab\0c\0", 5), 1));
  EXPECT_FALSE(make("ab", 1));
  EXPECT_FALSE(make("", 1));
  EXPECT_FALSE(make(std::string_view("a\0", 2), int64_t{1} << 60));
}

TEST(TensorTest, RefusesANulInsideAString) {
  const std::string_view values[] = {std::string_view("a\0b", 3)};
  EXPECT_FALSE(Tensor::FromStrings({1}, values, base::DefaultMemory()).ok());
}

TEST(TensorTest, ItsBytesComeFromTheGivenMemory) {
  CountingMemory memory;
  {
    auto tensor = Tensor::Create(DType::kInt64, {100}, memory);
    ASSERT_TRUE(tensor.ok());
    EXPECT_GE(memory.used_, 800U);
    EXPECT_GE((*tensor)->memory_bytes(), 800U);
  }
  EXPECT_EQ(memory.used_, 0U);
}

TEST(TensorTest, SaysSoWhenThereIsNoMemory) {
  CountingMemory memory;
  memory.limit_ = 64;
  EXPECT_EQ(Tensor::Create(DType::kInt64, {100}, memory).status().code(), base::StatusCode::kResourceExhausted);
  EXPECT_EQ(Tensor::Create(DType::kInt64, {8}, memory).status().code(), base::StatusCode::kResourceExhausted);
  EXPECT_EQ(memory.used_, 0U);
}

TEST(TensorTest, KeepsItsElementsWhenItsBytesMove) {
  alignas(64) std::byte place[256];
  const auto move = [&place](void* block, size_t bytes) -> void* {
    std::memcpy(place, block, bytes);
    std::memset(block, 0xff, bytes);  // nobody may look there any more
    return place;
  };
  const std::vector<std::string_view> words = {"one", "", "three"};
  auto strings = *Tensor::FromStrings({3}, words, base::DefaultMemory());
  std::byte* before = const_cast<std::byte*>(strings->data().data());
  strings->MoveBy(move);
  for (size_t i = 0; i < words.size(); ++i) EXPECT_EQ(strings->StringAt(i), words[i]);
  EXPECT_EQ(strings->data().data(), place);
  strings->MoveBy([before](void* block, size_t bytes) -> void* { return std::memcpy(before, block, bytes); });
  EXPECT_EQ(strings->StringAt(2), "three");
}

TEST(TensorTest, AdoptedBytesLiveAsLongAsTheTensor) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2});
  std::weak_ptr<std::vector<float>> watch = owner;
  std::span<const std::byte> bytes = std::as_bytes(std::span(*owner));
  auto tensor = Tensor::Adopt(DType::kFloat32, {2}, bytes, std::move(owner));
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ((*tensor)->As<float>()[1], 2.0F);
  EXPECT_FALSE(watch.expired());
  tensor->reset();
  EXPECT_TRUE(watch.expired());
}

TEST(Float16Test, RoundTripsEveryHalf) {
  for (uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = HalfToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(FloatToHalf(value), bits) << value;
  }
}

TEST(Float16Test, RoundsTiesToEvenAndOverflowsToInfinity) {
  EXPECT_EQ(FloatToHalf(1.0F + 0x1p-11F), FloatToHalf(1.0F));
  EXPECT_EQ(FloatToHalf(65519.0F), 0x7bff);
  EXPECT_EQ(FloatToHalf(65520.0F), 0x7c00);
  EXPECT_EQ(FloatToHalf(-1e30F), 0xfc00);
  EXPECT_EQ(BFloat16ToFloat(FloatToBFloat16(1.0F)), 1.0F);
  EXPECT_EQ(FloatToBFloat16(3.3895314e38F), 0x7f7f);
}

}  // namespace
}  // namespace redoubt::tensor
