#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "vector/distance.h"

namespace redoubt::vector {

// What the graph keeps of a vector.
enum class Storage { kInt8, kFloat32 };

// Lies right before the code, so that a pointer to a code is all that a distance needs.
struct CodeHead {
  float scale = 0;
  float bias = 0;
};

// Turns vectors into codes and measures codes against each other; see docs/design/hnsw.md.
// Immutable, safe on many threads.
class Codec {
 public:
  // A code is preceded by kHeadBytes that begin with its CodeHead; the rest of them is the owner's.
  static constexpr size_t kHeadBytes = 20;

  // `centre` is empty or dim floats. It does not matter to kFloat32.
  Codec(size_t dim, Metric metric, Storage storage, std::span<const float> centre);

  // A multiple of 4.
  size_t code_bytes() const { return code_bytes_; }

  // False when an element is not finite or too large for the squares of distances; `code` is then not to be used.
  bool Encode(std::span<const float> vector, std::byte* code) const;

  // Whether Encode() could have made it, with its head: distances between such codes are finite.
  bool IsSound(const std::byte* code) const;

  // The distance of `code` to each of `codes`, all made by this codec.
  void Measure(const std::byte* code, const std::byte* const* codes, size_t count, float* out) const;

  // Whether every distance to `a` is the one to `b`.
  bool Same(const std::byte* a, const std::byte* b) const {
    return std::memcmp(&Head(a), &Head(b), sizeof(CodeHead)) == 0 && std::memcmp(a, b, code_bytes_) == 0;
  }

  static const CodeHead& Head(const std::byte* code) { return *reinterpret_cast<const CodeHead*>(code - kHeadBytes); }

 private:
  bool EncodeInt8(std::span<const float> vector, std::byte* code) const;

  const size_t dim_;
  const Metric metric_;
  const Storage storage_;
  const size_t code_bytes_;
  std::vector<float> centre_;  // zeros where none was given
  float centre_squares_;
};

// A code outside the graph: of a query.
class OwnCode {
 public:
  explicit OwnCode(const Codec& codec) : bytes_(Codec::kHeadBytes + codec.code_bytes()) {}
  std::byte* code() { return bytes_.data() + Codec::kHeadBytes; }
  const std::byte* code() const { return bytes_.data() + Codec::kHeadBytes; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace redoubt::vector
