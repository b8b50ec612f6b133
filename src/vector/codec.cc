#include "vector/codec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <numbers>

#include "base/check.h"
#include "vector/code_kernels.h"
#include "vector/kernels.h"

namespace redoubt::vector {
namespace {

constexpr size_t kChunk = 64;
constexpr size_t kPackedAlignment = 64;  // elements
constexpr float kLargestCode = 127;
constexpr int kLargestCode4 = 7;
constexpr int kZeroOf4 = 8;  // what is stored for it
// Of 15 steps that fit a normal distribution best, in standard deviations (Max 1960, table I, N = 15): a rotated vector
// has one, and its largest elements are worth less than a finer step for the others.
constexpr float kStepOf4 = 0.3533F;
// The square of a distance between two vectors is at most four times the larger one's.
constexpr float kMostSquares = std::numeric_limits<float>::max() / 16;

float Dot(std::span<const float> a, std::span<const float> b) {
  float value;
  BestKernels().dot(a.data(), b.data(), 1, a.size(), &value);
  return value;
}

bool IsPacked(Storage storage) { return storage == Storage::kInt4 || storage == Storage::kBinary; }

size_t Elements(size_t dim, Storage storage) {
  const size_t alignment = IsPacked(storage) ? kPackedAlignment : kCodeAlignment;
  return storage == Storage::kFloat32 ? dim : (dim + alignment - 1) / alignment * alignment;
}

size_t CodeBytes(size_t elements, Storage storage) {
  switch (storage) {
    case Storage::kInt8:
      return elements;
    case Storage::kFloat32:
      return elements * sizeof(float);
    case Storage::kInt4:
      return elements / 2;
    case Storage::kBinary:
      return elements / 8;
  }
  return 0;
}

float LargestMagnitude(std::span<const float> vector) {
  float largest = 0;
  for (float x : vector) largest = std::max(largest, std::abs(x));
  return largest;
}

// 0 where the vector is so near to the centre that it counts as the centre.
float InverseOf(float step) {
  const float inverse = step > 0 ? 1 / step : 0;
  return std::isfinite(inverse) ? inverse : 0;
}

int8_t Quantise(float x, float largest) { return static_cast<int8_t>(std::lrint(std::clamp(x, -largest, largest))); }

int32_t SquaresOfInt8(const int8_t* elements, size_t count) {
  int32_t squares;
  BestCodeKernels().dot(elements, &elements, 1, count, &squares);
  return squares;
}

}  // namespace

Codec::Codec(size_t dim, Metric metric, Storage storage, std::span<const float> centre)
    : dim_(dim),
      metric_(metric),
      storage_(storage),
      elements_(Elements(dim, storage)),
      code_bytes_(CodeBytes(elements_, storage)),
      centre_(dim),
      centre_squares_(0) {
  CHECK(centre.empty() || centre.size() == dim);
  std::copy(centre.begin(), centre.end(), centre_.begin());
  centre_squares_ = Dot(centre_, centre_);
  if (IsPacked(storage)) rotation_.emplace(elements_);
}

int32_t Codec::SquaresOf(const std::byte* code) const {
  if (storage_ == Storage::kBinary) return static_cast<int32_t>(elements_);
  if (storage_ == Storage::kInt8) return SquaresOfInt8(reinterpret_cast<const int8_t*>(code), elements_);
  std::vector<int8_t> elements(elements_);
  Expand(code, elements);
  return SquaresOfInt8(elements.data(), elements_);
}

bool Codec::IsSound(const std::byte* code) const {
  if (storage_ == Storage::kFloat32) {
    const std::span<const float> vector(reinterpret_cast<const float*>(code), dim_);
    return Dot(vector, vector) <= kMostSquares;
  }
  if (storage_ == Storage::kInt8 && std::memchr(code, 0x80, code_bytes_) != nullptr) return false;
  const CodeHead& head = Head(code);
  return std::abs(head.bias) <= 2 * kMostSquares &&
         head.scale * head.scale * static_cast<float>(SquaresOf(code)) <= 4 * kMostSquares;
}

bool Codec::Prepare(std::span<const float> vector, std::vector<float>& rest, float& bias) const {
  const float squares = Dot(vector, vector);
  if (!(squares <= kMostSquares)) return false;
  const bool unit = metric_ == Metric::kCosine;
  const float scale = !unit ? 1 : squares > 0 ? 1 / std::sqrt(squares) : 0;
  rest.assign(elements_, 0);
  for (size_t i = 0; i < dim_; ++i) rest[i] = vector[i] * scale;
  bias = 0.5F - Dot({rest.data(), dim_}, centre_) + 0.5F * centre_squares_;
  for (size_t i = 0; i < dim_; ++i) rest[i] -= centre_[i];
  if (rotation_) rotation_->Apply(rest);
  return true;
}

// `squares`: of the reconstruction, for kL2.
CodeHead Codec::HeadOf(float step, float squares, float bias) const {
  if (metric_ == Metric::kL2) return {step * std::numbers::sqrt2_v<float>, squares};
  return {step, bias};
}

CodeHead Codec::EncodeInt8(std::span<const float> rest, float bias, std::byte* code) const {
  const float step = LargestMagnitude(rest) / kLargestCode;
  const float inverse = InverseOf(step);
  auto* elements = reinterpret_cast<int8_t*>(code);
  for (size_t i = 0; i < elements_; ++i) elements[i] = Quantise(rest[i] * inverse, kLargestCode);
  return HeadOf(step, step * step * static_cast<float>(SquaresOfInt8(elements, elements_)), bias);
}

CodeHead Codec::EncodeInt4(std::span<const float> rest, float bias, std::byte* code) const {
  const float deviation = std::sqrt(Dot(rest, rest) / static_cast<float>(elements_));
  const float step = std::min(LargestMagnitude(rest) / kLargestCode4, kStepOf4 * deviation);
  const float inverse = InverseOf(step);
  auto* bytes = reinterpret_cast<uint8_t*>(code);
  int32_t squares = 0;
  const auto stored = [&](size_t i) {
    const int element = Quantise(rest[i] * inverse, kLargestCode4);
    squares += element * element;
    return static_cast<uint8_t>(element + kZeroOf4);
  };
  for (size_t group = 0; group < elements_; group += kPackedAlignment) {
    for (size_t i = group; i < group + 32; ++i) {
      const uint8_t low = stored(i);
      *bytes++ = static_cast<uint8_t>(low | stored(i + 32) << 4);
    }
  }
  return HeadOf(step, step * step * static_cast<float>(squares), bias);
}

// As RaBitQ (Gao & Long 2024): the signs, and a scale with which the product with a query is right on average. The
// squares are those of the vector itself then.
CodeHead Codec::EncodeBinary(std::span<const float> rest, float bias, std::byte* code) const {
  std::memset(code, 0, code_bytes_);
  auto* bytes = reinterpret_cast<uint8_t*>(code);
  float magnitudes = 0;
  for (size_t i = 0; i < elements_; ++i) {
    magnitudes += std::abs(rest[i]);
    if (rest[i] > 0) bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | 1 << (i % 8));
  }
  const float squares = Dot(rest, rest);
  return HeadOf(magnitudes > 0 ? squares / magnitudes : 0, squares, bias);
}

bool Codec::Encode(std::span<const float> vector, std::byte* code) const {
  std::vector<float> rest;
  float bias;
  if (storage_ == Storage::kFloat32) {
    new (code - kHeadBytes) CodeHead();
    const float squares = Dot(vector, vector);
    const float scale = metric_ != Metric::kCosine ? 1 : squares > 0 ? 1 / std::sqrt(squares) : 0;
    auto* floats = reinterpret_cast<float*>(code);
    for (size_t i = 0; i < dim_; ++i) floats[i] = vector[i] * scale;
    return squares <= kMostSquares;
  }
  if (!Prepare(vector, rest, bias)) return false;
  const CodeHead head = storage_ == Storage::kInt8   ? EncodeInt8(rest, bias, code)
                        : storage_ == Storage::kInt4 ? EncodeInt4(rest, bias, code)
                                                     : EncodeBinary(rest, bias, code);
  std::memcpy(code - kHeadBytes, &head, sizeof(head));
  return IsSound(code);
}

bool Codec::SetTarget(std::span<const float> vector, CodeTarget& target) const {
  if (!packed()) {
    target.own_.resize(kHeadBytes + code_bytes_);
    std::byte* const code = target.own_.data() + kHeadBytes;
    if (!Encode(vector, code)) return false;
    SetTarget(code, target);
    return true;
  }
  std::vector<float> rest;
  float bias;
  if (!Prepare(vector, rest, bias)) return false;
  target.own_.resize(elements_);
  target.head_ = EncodeInt8(rest, bias, target.own_.data());
  target.elements_ = target.own_.data();
  const auto* elements = reinterpret_cast<const int8_t*>(target.elements_);
  target.sum_ = 0;
  for (size_t i = 0; i < elements_; ++i) target.sum_ += elements[i];
  return std::isfinite(target.head_.bias) && std::isfinite(target.head_.scale * target.head_.scale);
}

void Codec::Expand(const std::byte* code, std::span<int8_t> elements) const {
  const auto* bytes = reinterpret_cast<const uint8_t*>(code);
  for (size_t i = 0; i < elements_; ++i) {
    if (storage_ == Storage::kBinary) {
      elements[i] = (bytes[i / 8] >> (i % 8) & 1) != 0 ? 1 : -1;
    } else {
      const uint8_t byte = bytes[i / kPackedAlignment * 32 + i % 32];
      elements[i] = static_cast<int8_t>((i % kPackedAlignment < 32 ? byte & 15 : byte >> 4) - kZeroOf4);
    }
  }
}

void Codec::SetTarget(const std::byte* code, CodeTarget& target) const {
  target.head_ = Head(code);
  target.elements_ = code;
  if (!packed()) return;
  target.own_.resize(elements_);
  target.elements_ = target.own_.data();
  const std::span<int8_t> elements(reinterpret_cast<int8_t*>(target.own_.data()), elements_);
  Expand(code, elements);
  target.sum_ = 0;
  for (int8_t element : elements) target.sum_ += element;
}

// Packed codes hold 0..15 for -8..7, and 0 and 1 for -1 and 1.
void Codec::Dots(const CodeTarget& target, const std::byte* const* codes, size_t count, int32_t* out) const {
  const CodeKernels& kernels = BestCodeKernels();
  const auto* elements = reinterpret_cast<const int8_t*>(target.elements_);
  if (!packed()) {
    return kernels.dot(elements, reinterpret_cast<const int8_t* const*>(codes), count, code_bytes_, out);
  }
  const auto* rows = reinterpret_cast<const uint8_t* const*>(codes);
  if (storage_ == Storage::kInt4) {
    kernels.dot4(elements, rows, count, code_bytes_, out);
    for (size_t i = 0; i < count; ++i) out[i] -= kZeroOf4 * target.sum_;
  } else {
    kernels.dot1(elements, rows, count, code_bytes_, out);
    for (size_t i = 0; i < count; ++i) out[i] = 2 * out[i] - target.sum_;
  }
}

void Codec::Measure(const CodeTarget& target, const std::byte* const* codes, size_t count, float* out) const {
  if (storage_ == Storage::kFloat32) {
    const auto* query = reinterpret_cast<const float*>(target.elements_);
    const RowsKernel kernel = metric_ == Metric::kL2 ? BestKernels().squared_l2 : BestKernels().dot;
    for (size_t i = 0; i < count; ++i) {
      kernel(query, reinterpret_cast<const float*>(codes[i]), 1, dim_, out + i);
      if (metric_ != Metric::kL2) out[i] = 1 - out[i];
    }
    return;
  }
  const CodeHead head = target.head_;
  int32_t dots[kChunk];
  for (size_t at = 0; at < count; at += kChunk) {
    const size_t chunk = std::min(kChunk, count - at);
    Dots(target, codes + at, chunk, dots);
    for (size_t i = 0; i < chunk; ++i) {
      const CodeHead& other = Head(codes[at + i]);
      out[at + i] = (head.bias + other.bias) - head.scale * other.scale * static_cast<float>(dots[i]);
    }
  }
}

}  // namespace redoubt::vector
