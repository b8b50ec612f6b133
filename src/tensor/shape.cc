#include "tensor/shape.h"

#include <fmt/core.h>

namespace redoubt::tensor {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 62;

}  // namespace

base::Result<size_t> ElementCount(std::span<const int64_t> shape) {
  if (shape.size() > kMaxRank) {
    return base::InvalidArgument(
        fmt::format("shape has {} dimensions, at most {} are allowed", shape.size(), kMaxRank));
  }
  size_t count = 1;
  bool empty = false;
  for (int64_t dim : shape) {
    if (dim < 0) return base::InvalidArgument(fmt::format("negative dimension {} in shape", dim));
    if (dim == 0) {
      empty = true;
      continue;
    }
    if (__builtin_mul_overflow(count, static_cast<size_t>(dim), &count) || count > kMaxBytes) {
      return base::InvalidArgument(fmt::format("shape {} is too large", ShapeToString(shape)));
    }
  }
  return empty ? size_t{0} : count;
}

base::Result<size_t> ByteSize(DType dtype, std::span<const int64_t> shape) {
  ASSIGN_OR_RETURN(const size_t count, ElementCount(shape));
  const size_t element = dtype == DType::kString ? 1 : ElementSize(dtype);
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, element, &bytes) || bytes > kMaxBytes) {
    return base::InvalidArgument(fmt::format("shape {} of {} is too large", ShapeToString(shape), DTypeName(dtype)));
  }
  return bytes;
}

std::string ShapeToString(std::span<const int64_t> shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (int64_t dim : shape) text += fmt::format("{}{}", text.empty() ? "" : "x", dim);
  return text;
}

}  // namespace redoubt::tensor
