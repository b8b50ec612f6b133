#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "vector/distance.h"
#include "vector/element.h"

namespace redoubt::vector {

// A vector that many rows of its own element type are measured against, without rounding the rows to floats: sums are
// doubles for kFloat64, exact integers for kInt8 and kUInt8, floats for the others. Immutable, safe on many threads.
class QueryVector {
 public:
  // Copies `blob`, elements of `type` at any address. Throws std::bad_alloc.
  QueryVector(ElementType type, Metric metric, std::string_view blob);

  size_t dim() const { return dim_; }

  // The distances of `count` rows that lie one after another, aligned as their elements are. For kCosine
  // `inverse_norms` has InverseNorm() of each; where it is null the rows have unit length.
  void Measure(const std::byte* rows, const double* inverse_norms, size_t count, double* out) const;

  // The distance of one row of any length, at any address: exact in the sense above. Throws std::bad_alloc.
  double DistanceTo(std::string_view blob) const;

 private:
  ElementType type_;
  Metric metric_;
  size_t dim_;
  std::vector<std::byte> elements_;  // floats for the half types, else as they came
  double inverse_norm_ = 1;          // for kCosine
};

// 1 / length of a vector, 0 for one of length 0. `row` is aligned as its elements are. Throws std::bad_alloc.
double InverseNorm(ElementType type, const std::byte* row, size_t dim);

}  // namespace redoubt::vector
