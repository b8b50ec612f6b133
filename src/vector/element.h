#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace redoubt::vector {

// What one element of a vector is. Blobs hold them one after another, little-endian, at any address.
enum class ElementType { kFloat32, kFloat64, kFloat16, kBFloat16, kInt8, kUInt8 };

inline constexpr ElementType kElementTypes[] = {ElementType::kFloat32,  ElementType::kFloat64, ElementType::kFloat16,
                                                ElementType::kBFloat16, ElementType::kInt8,    ElementType::kUInt8};

std::string_view ElementName(ElementType type);                      // "FLOAT32"
std::optional<ElementType> ParseElementType(std::string_view name);  // in either case
size_t ElementBytes(ElementType type);                               // 1, 2, 4 or 8

// The elements as floats: exact for every type but kFloat64, which is rounded. `blob` holds out.size() elements.
// False when one of them is not a finite float (a FLOAT64 may be too large for one); `out` has it as inf or NaN then.
bool DecodeElements(ElementType type, std::string_view blob, std::span<float> out);

// A container's elements as the blob that holds them.
template <class Elements>
std::string_view BlobView(const Elements& elements) {
  const auto bytes = std::as_bytes(std::span(elements));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// IEEE 754 binary16.
constexpr float HalfToFloat(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = half >> 10 & 31;
  const uint32_t mantissa = half & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float value = static_cast<float>(mantissa) * 0x1p-24f;  // subnormal
  return sign != 0 ? -value : value;
}

// The upper half of a float.
constexpr float BFloatToFloat(uint16_t value) { return std::bit_cast<float>(uint32_t{value} << 16); }

}  // namespace redoubt::vector
