#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "vector/distance.h"
#include "vector/rotation.h"
#include "vector/storage.h"

namespace redoubt::vector {

// Lies right before the code, so that a pointer to a code is all that a distance needs.
struct CodeHead {
  float scale = 0;
  float bias = 0;
};

// What codes are measured against: a query, which has 8 bits for each element where codes have fewer, or a code.
class CodeTarget {
  friend class Codec;

  CodeHead head_;
  int32_t sum_ = 0;                      // of the elements, where codes are packed
  const std::byte* elements_ = nullptr;  // 8 bits each, or floats: own_'s, or a code's
  std::vector<std::byte> own_;
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

  // Fails as Encode() does.
  bool SetTarget(std::span<const float> vector, CodeTarget& target) const;
  // `code` may have to live as long as the target is used.
  void SetTarget(const std::byte* code, CodeTarget& target) const;

  // The distance of `target` to each of `codes`, all made by this codec.
  void Measure(const CodeTarget& target, const std::byte* const* codes, size_t count, float* out) const;

  // Whether every distance to `a` is the one to `b`.
  bool Same(const std::byte* a, const std::byte* b) const {
    return std::memcmp(&Head(a), &Head(b), sizeof(CodeHead)) == 0 && std::memcmp(a, b, code_bytes_) == 0;
  }

  static const CodeHead& Head(const std::byte* code) { return *reinterpret_cast<const CodeHead*>(code - kHeadBytes); }

 private:
  bool packed() const { return rotation_.has_value(); }
  // What is left of the vector for the code: of unit length for kCosine, without the centre, rotated where elements
  // have few bits. False when it is too large. `bias` is that of a metric that needs no reconstruction.
  bool Prepare(std::span<const float> vector, std::vector<float>& rest, float& bias) const;
  CodeHead HeadOf(float step, float squares, float bias) const;
  CodeHead EncodeInt8(std::span<const float> rest, float bias, std::byte* code) const;
  CodeHead EncodeInt4(std::span<const float> rest, float bias, std::byte* code) const;
  CodeHead EncodeBinary(std::span<const float> rest, float bias, std::byte* code) const;
  void Expand(const std::byte* code, std::span<int8_t> elements) const;
  int32_t SquaresOf(const std::byte* code) const;
  void Dots(const CodeTarget& target, const std::byte* const* codes, size_t count, int32_t* out) const;

  const size_t dim_;
  const Metric metric_;
  const Storage storage_;
  const size_t elements_;  // of a code: dim, padded
  const size_t code_bytes_;
  std::optional<Rotation> rotation_;
  std::vector<float> centre_;  // zeros where none was given
  float centre_squares_;
};

// A code outside the graph.
class OwnCode {
 public:
  explicit OwnCode(const Codec& codec) : bytes_(Codec::kHeadBytes + codec.code_bytes()) {}
  std::byte* code() { return bytes_.data() + Codec::kHeadBytes; }
  const std::byte* code() const { return bytes_.data() + Codec::kHeadBytes; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace redoubt::vector
