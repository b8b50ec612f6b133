#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "vector/distance.h"
#include "vector/element.h"

// Random vectors of every element type, and their distances by definition, in double.
namespace redoubt::vector {

// A blob of `dim` elements and what each of them is worth.
struct TypedVector {
  std::string blob;
  std::vector<double> values;
};

template <class Element>
void AppendElement(std::string& blob, Element element) {
  blob.append(reinterpret_cast<const char*>(&element), sizeof(element));
}

inline TypedVector RandomTyped(ElementType type, size_t dim, std::mt19937& random) {
  std::normal_distribution<double> normal;
  TypedVector vector;
  for (size_t i = 0; i < dim; ++i) {
    const uint32_t bits = random();
    switch (type) {
      case ElementType::kFloat32:
        vector.values.push_back(static_cast<float>(normal(random)));
        AppendElement(vector.blob, static_cast<float>(vector.values.back()));
        break;
      case ElementType::kFloat64:
        vector.values.push_back(normal(random));
        AppendElement(vector.blob, vector.values.back());
        break;
      case ElementType::kFloat16: {  // any half between 2^-7 and 4, of either sign
        const auto half = static_cast<uint16_t>((bits & 0x8000) | (0x2000 + bits % 0x2400));
        vector.values.push_back(HalfToFloat(half));
        AppendElement(vector.blob, half);
        break;
      }
      case ElementType::kBFloat16: {
        const auto half = static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(normal(random))) >> 16);
        vector.values.push_back(BFloatToFloat(half));
        AppendElement(vector.blob, half);
        break;
      }
      case ElementType::kInt8:
        AppendElement(vector.blob, static_cast<int8_t>(bits));
        vector.values.push_back(static_cast<int8_t>(bits));
        break;
      case ElementType::kUInt8:
        AppendElement(vector.blob, static_cast<uint8_t>(bits));
        vector.values.push_back(static_cast<uint8_t>(bits));
        break;
    }
  }
  return vector;
}

inline double DotByDefinition(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

inline double DistanceByDefinition(Metric metric, const std::vector<double>& a, const std::vector<double>& b) {
  if (metric == Metric::kIp) return 1 - DotByDefinition(a, b);
  if (metric == Metric::kCosine) {
    const double norms = std::sqrt(DotByDefinition(a, a)) * std::sqrt(DotByDefinition(b, b));
    return norms > 0 ? 1 - DotByDefinition(a, b) / norms : 1;
  }
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

// How far a distance may be from its definition: nothing but the order of additions for doubles and integers.
inline double Slack(ElementType type, Metric metric, const TypedVector& a, const TypedVector& b) {
  const bool exact = type == ElementType::kFloat64 || type == ElementType::kInt8 || type == ElementType::kUInt8;
  const double size =
      metric == Metric::kCosine ? 1 : DotByDefinition(a.values, a.values) + DotByDefinition(b.values, b.values) + 1;
  return size * (exact ? 1e-14 : 1e-6);
}

}  // namespace redoubt::vector
