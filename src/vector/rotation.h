#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace redoubt::vector {

// A fixed random rotation: lengths and angles stay, and what a few elements had is spread over all of them, so that a
// few bits for each keep about as much as they can. Random signs and Hadamard transforms of the largest power of two
// at either end, twice (Ailon & Chazelle 2009; over two ends for sizes that are no power of two).
// The same for all of a size, in every process. Immutable, safe on many threads.
class Rotation {
 public:
  // `size` is a multiple of 64.
  explicit Rotation(size_t size);

  size_t size() const { return size_; }
  void Apply(std::span<float> vector) const;  // of size() elements

 private:
  static constexpr size_t kTransforms = 4;

  size_t size_;
  size_t block_;                 // of a transform
  std::vector<uint64_t> signs_;  // a bit for each element, for each transform
};

}  // namespace redoubt::vector
