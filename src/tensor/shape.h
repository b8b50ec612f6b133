#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "tensor/dtype.h"

namespace redoubt::tensor {

inline constexpr size_t kMaxRank = 64;

// The product of the dimensions; 1 for a scalar (no dimension), 0 when one dimension is 0. InvalidArgument for a
// negative dimension, more than kMaxRank dimensions, or a product above 2^62.
base::Result<size_t> ElementCount(std::span<const int64_t> shape);

// ElementCount times the element size, checked against overflow. For strings: the bytes of as many empty ones.
base::Result<size_t> ByteSize(DType dtype, std::span<const int64_t> shape);

// "2x3"; "scalar" without dimensions.
std::string ShapeToString(std::span<const int64_t> shape);

}  // namespace redoubt::tensor
