#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace redoubt::tensor {

// The element type of a tensor. The numbers are stored in RDB files and cross the backend boundary
// (infer/backend_api.h): never change one, only add.
enum class DType {
  kFloat32 = 0,
  kFloat64 = 1,
  kFloat16 = 2,
  kBFloat16 = 3,
  kInt8 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kUInt8 = 8,
  kUInt16 = 9,
  kUInt32 = 10,
  kUInt64 = 11,
  kBool = 12,    // one byte, 0 or 1
  kString = 13,  // bytes without NUL, any length
};
inline constexpr int kDTypeCount = 14;

// "FLOAT", "DOUBLE", "INT8", ... "BOOL", "STRING": the words of AI.TENSORSET, FLOAT16, BFLOAT16, UINT32 and UINT64
// added.
std::string_view DTypeName(DType dtype);

// Case does not matter. None for an unknown word.
std::optional<DType> ParseDType(std::string_view name);

// None when no type has this number.
std::optional<DType> DTypeFromNumber(int number);

// Bytes of one element; 0 for strings, whose length is free.
size_t ElementSize(DType dtype);

}  // namespace redoubt::tensor
