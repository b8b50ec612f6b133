#include "vector/element.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "vector/element_kernels.h"
#include "vector/same_name.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace redoubt::vector {
namespace {

// Blobs lie at any address.
template <class Element, class Convert>
void Decode(std::string_view blob, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    Element element;
    std::memcpy(&element, blob.data() + i * sizeof(Element), sizeof(Element));
    out[i] = convert(element);
  }
}

void DecodeHalves(std::string_view blob, std::span<float> out) {
  constexpr size_t kChunk = 256;
  uint16_t halves[kChunk];
  for (size_t at = 0; at < out.size(); at += kChunk) {
    const size_t count = std::min(kChunk, out.size() - at);
    std::memcpy(halves, blob.data() + at * sizeof(uint16_t), count * sizeof(uint16_t));
    BestElementKernels().widen_halves(halves, count, out.data() + at);
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
      return DecodeHalves(blob, out);
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
    if (SameName(name, ElementName(type))) return type;
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

bool ProcessorHasF16c() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  // __builtin_cpu_supports("avx2") also asks whether the system keeps the wide registers.
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
#else
  return false;
#endif
}

bool DecodeElements(ElementType type, std::string_view blob, std::span<float> out) {
  CHECK(blob.size() == out.size() * ElementBytes(type));
  DecodeAny(type, blob, out);
  bool finite = true;
  for (float x : out) finite &= std::isfinite(x);
  return finite;
}

}  // namespace redoubt::vector
