#include "vector/code_kernels.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

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

// Rows of `bits`, 4 or 1, packed as PackedKernel says.
void ExpectRightPackedDots(unsigned bits, size_t bytes, size_t count, std::mt19937& random) {
  const size_t elements = bytes * 8 / bits;
  std::vector<int8_t> query(elements);
  for (int8_t& x : query) x = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
  std::vector<uint8_t> codes(bytes * count);
  for (uint8_t& byte : codes) byte = static_cast<uint8_t>(random());
  std::vector<const uint8_t*> rows;
  for (size_t r = 0; r < count; ++r) rows.push_back(codes.data() + r * bytes);
  const auto element = [&](const uint8_t* row, size_t i) {
    if (bits == 1) return row[i / 8] >> (i % 8) & 1;
    const uint8_t byte = row[i / 64 * 32 + i % 32];
    return i % 64 < 32 ? byte & 15 : byte >> 4;
  };
  for (const CodeKernels* kernels : KernelsOfThisProcessor()) {
    std::vector<int32_t> dots(count);
    (bits == 1 ? kernels->dot1 : kernels->dot4)(query.data(), rows.data(), count, bytes, dots.data());
    for (size_t r = 0; r < count; ++r) {
      int32_t want = 0;
      for (size_t i = 0; i < elements; ++i) want += query[i] * element(rows[r], i);
      EXPECT_EQ(dots[r], want) << kernels->name << " bits " << bits << " bytes " << bytes << " row " << r;
    }
  }
}

TEST(CodeKernelsTest, PackedRowsAreExactToo) {
  std::mt19937 random(2);
  for (size_t count : {0, 1, 4, 7, 32}) {
    for (size_t bytes : {32, 64, 96, 384}) ExpectRightPackedDots(4, bytes, count, random);
    for (size_t bytes : {8, 16, 24, 96, 4096}) ExpectRightPackedDots(1, bytes, count, random);
  }
}

TEST(CodeKernelsTest, TheLargestSumsDoNotOverflow) {
  for (int8_t extreme : {int8_t{127}, int8_t{-127}}) ExpectRightDots(32768, 5, [&] { return extreme; });
}

}  // namespace
}  // namespace redoubt::vector
