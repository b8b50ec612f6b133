#include "vector/rotation.h"

#include <bit>
#include <cmath>
#include <random>

#include "base/check.h"

namespace redoubt::vector {
namespace {

constexpr size_t kWord = 64;
constexpr uint64_t kSeed = 0x7265646f75627431;  // never another one: codes in files are of this rotation

// In place, orthogonal. The size is a power of two.
void Hadamard(std::span<float> block) {
  for (size_t half = 1; half < block.size(); half *= 2) {
    for (size_t at = 0; at < block.size(); at += 2 * half) {
      float* const low = block.data() + at;
      float* const high = low + half;
      for (size_t i = 0; i < half; ++i) {
        const float sum = low[i] + high[i];
        high[i] = low[i] - high[i];
        low[i] = sum;
      }
    }
  }
  const float scale = 1 / std::sqrt(static_cast<float>(block.size()));
  for (float& x : block) x *= scale;
}

}  // namespace

Rotation::Rotation(size_t size) : size_(size), block_(std::bit_floor(size)), signs_(kTransforms * size / kWord) {
  CHECK(size > 0 && size % kWord == 0);
  std::mt19937_64 random(kSeed);  // the standard fixes what it yields
  for (uint64_t& word : signs_) word = random();
}

void Rotation::Apply(std::span<float> vector) const {
  for (size_t t = 0; t < kTransforms; ++t) {
    const uint64_t* signs = signs_.data() + t * size_ / kWord;
    for (size_t i = 0; i < size_; ++i) {
      if ((signs[i / kWord] >> (i % kWord) & 1) != 0) vector[i] = -vector[i];
    }
    Hadamard(t % 2 == 0 ? vector.first(block_) : vector.last(block_));
  }
}

}  // namespace redoubt::vector
