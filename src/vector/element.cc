#include "vector/element.h"

#include <cctype>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace redoubt::vector {
namespace {

bool EqualsIgnoringCase(std::string_view a, std::string_view upper) {
  if (a.size() != upper.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(a[i])) != upper[i]) return false;
  }
  return true;
}

// Blobs lie at any address.
template <class Element, class Convert>
void Decode(std::string_view blob, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    Element element;
    std::memcpy(&element, blob.data() + i * sizeof(Element), sizeof(Element));
    out[i] = convert(element);
  }
}

void DecodeAny(ElementType type, std::string_view blob, std::span<float> out) {
  auto cast = [](auto element) { return static_cast<float>(element); };
  switch (type) {
    case ElementType::kFloat32:
      std::memcpy(out.data(), blob.data(), blob.size());
      return;
    case ElementType::kFloat64:
      return Decode<double>(blob, out, cast);
    case ElementType::kFloat16:
      return Decode<uint16_t>(blob, out, HalfToFloat);
    case ElementType::kBFloat16:
      return Decode<uint16_t>(blob, out, BFloatToFloat);
    case ElementType::kInt8:
      return Decode<int8_t>(blob, out, cast);
    case ElementType::kUInt8:
      return Decode<uint8_t>(blob, out, cast);
  }
}

}  // namespace

std::string_view ElementName(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "FLOAT32";
    case ElementType::kFloat64:
      return "FLOAT64";
    case ElementType::kFloat16:
      return "FLOAT16";
    case ElementType::kBFloat16:
      return "BFLOAT16";
    case ElementType::kInt8:
      return "INT8";
    case ElementType::kUInt8:
      return "UINT8";
  }
  return "FLOAT32";
}

std::optional<ElementType> ParseElementType(std::string_view name) {
  for (ElementType type : kElementTypes) {
    if (EqualsIgnoringCase(name, ElementName(type))) return type;
  }
  return std::nullopt;
}

size_t ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return 4;
    case ElementType::kFloat64:
      return 8;
    case ElementType::kFloat16:
    case ElementType::kBFloat16:
      return 2;
    case ElementType::kInt8:
    case ElementType::kUInt8:
      return 1;
  }
  return 4;
}

bool DecodeElements(ElementType type, std::string_view blob, std::span<float> out) {
  CHECK(blob.size() == out.size() * ElementBytes(type));
  DecodeAny(type, blob, out);
  bool finite = true;
  for (float x : out) finite &= std::isfinite(x);
  return finite;
}

}  // namespace redoubt::vector
