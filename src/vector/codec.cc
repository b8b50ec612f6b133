#include "vector/codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <numbers>

#include "base/check.h"
#include "vector/code_kernels.h"
#include "vector/kernels.h"

namespace redoubt::vector {
namespace {

constexpr size_t kChunk = 64;
constexpr float kLargestCode = 127;
// The square of a distance between two vectors is at most four times the larger one's.
constexpr float kMostSquares = std::numeric_limits<float>::max() / 16;

float Dot(std::span<const float> a, std::span<const float> b) {
  float value;
  BestKernels().dot(a.data(), b.data(), 1, a.size(), &value);
  return value;
}

size_t CodeBytes(size_t dim, Storage storage) {
  if (storage == Storage::kFloat32) return dim * sizeof(float);
  return (dim + kCodeAlignment - 1) / kCodeAlignment * kCodeAlignment;
}

float LargestMagnitude(std::span<const float> vector) {
  float largest = 0;
  for (float x : vector) largest = std::max(largest, std::abs(x));
  return largest;
}

}  // namespace

Codec::Codec(size_t dim, Metric metric, Storage storage, std::span<const float> centre)
    : dim_(dim),
      metric_(metric),
      storage_(storage),
      code_bytes_(CodeBytes(dim, storage)),
      centre_(dim),
      centre_squares_(0) {
  CHECK(centre.empty() || centre.size() == dim);
  std::copy(centre.begin(), centre.end(), centre_.begin());
  centre_squares_ = Dot(centre_, centre_);
}

bool Codec::IsSound(const std::byte* code) const {
  if (storage_ == Storage::kFloat32) {
    const std::span<const float> vector(reinterpret_cast<const float*>(code), dim_);
    return Dot(vector, vector) <= kMostSquares;
  }
  const CodeHead& head = Head(code);
  const auto* elements = reinterpret_cast<const int8_t*>(code);
  if (std::memchr(code, 0x80, code_bytes_) != nullptr) return false;
  int32_t squares;
  BestCodeKernels().dot(elements, &elements, 1, code_bytes_, &squares);
  return std::abs(head.bias) <= 2 * kMostSquares &&
         head.scale * head.scale * static_cast<float>(squares) <= 4 * kMostSquares;
}

bool Codec::Encode(std::span<const float> vector, std::byte* code) const {
  float squares = Dot(vector, vector);
  if (!(squares <= kMostSquares)) return false;
  std::vector<float> unit;
  if (metric_ == Metric::kCosine) {
    float scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
    unit.reserve(dim_);
    for (float x : vector) unit.push_back(x * scale);
    vector = unit;
  }
  if (storage_ == Storage::kInt8) return EncodeInt8(vector, code);
  new (code - kHeadBytes) CodeHead();
  std::memcpy(code, vector.data(), vector.size_bytes());
  return true;
}

bool Codec::EncodeInt8(std::span<const float> vector, std::byte* code) const {
  std::vector<float> rest(dim_);
  for (size_t i = 0; i < dim_; ++i) rest[i] = vector[i] - centre_[i];
  const float step = LargestMagnitude(rest) / kLargestCode;
  const float inverse = step > 0 ? 1 / step : 0;
  auto* elements = reinterpret_cast<int8_t*>(code);
  std::memset(elements, 0, code_bytes_);
  if (std::isfinite(inverse)) {  // else the vector is so near to the centre that it counts as the centre
    for (size_t i = 0; i < dim_; ++i) {
      elements[i] = static_cast<int8_t>(std::lrint(std::clamp(rest[i] * inverse, -kLargestCode, kLargestCode)));
    }
  }
  CodeHead head;
  if (metric_ == Metric::kL2) {
    int32_t squares;
    BestCodeKernels().dot(elements, &elements, 1, code_bytes_, &squares);
    head.scale = step * std::numbers::sqrt2_v<float>;
    head.bias = step * step * static_cast<float>(squares);
  } else {
    head.scale = step;
    head.bias = 0.5f - Dot(vector, centre_) + 0.5f * centre_squares_;
  }
  std::memcpy(code - kHeadBytes, &head, sizeof(head));
  return std::isfinite(head.bias) && std::isfinite(head.scale * head.scale);
}

void Codec::Measure(const std::byte* code, const std::byte* const* codes, size_t count, float* out) const {
  if (storage_ == Storage::kFloat32) {
    const auto* query = reinterpret_cast<const float*>(code);
    const RowsKernel kernel = metric_ == Metric::kL2 ? BestKernels().squared_l2 : BestKernels().dot;
    for (size_t i = 0; i < count; ++i) {
      kernel(query, reinterpret_cast<const float*>(codes[i]), 1, dim_, out + i);
      if (metric_ != Metric::kL2) out[i] = 1 - out[i];
    }
    return;
  }
  const CodeHead head = Head(code);
  int32_t dots[kChunk];
  for (size_t at = 0; at < count; at += kChunk) {
    const size_t chunk = std::min(kChunk, count - at);
    BestCodeKernels().dot(reinterpret_cast<const int8_t*>(code), reinterpret_cast<const int8_t* const*>(codes + at),
                          chunk, code_bytes_, dots);
    for (size_t i = 0; i < chunk; ++i) {
      const CodeHead& other = Head(codes[at + i]);
      out[at + i] = (head.bias + other.bias) - head.scale * other.scale * static_cast<float>(dots[i]);
    }
  }
}

}  // namespace redoubt::vector
