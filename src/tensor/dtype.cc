#include "tensor/dtype.h"

#include <array>
#include <cctype>

namespace redoubt::tensor {
namespace {

struct DTypeRow {
  std::string_view name;
  size_t size;
};

// Indexed by the number of the type.
constexpr std::array<DTypeRow, kDTypeCount> kRows = {{
    {"FLOAT", 4},
    {"DOUBLE", 8},
    {"FLOAT16", 2},
    {"BFLOAT16", 2},
    {"INT8", 1},
    {"INT16", 2},
    {"INT32", 4},
    {"INT64", 8},
    {"UINT8", 1},
    {"UINT16", 2},
    {"UINT32", 4},
    {"UINT64", 8},
    {"BOOL", 1},
    {"STRING", 0},
}};

bool EqualsIgnoringCase(std::string_view a, std::string_view upper) {
  if (a.size() != upper.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(a[i])) != upper[i]) return false;
  }
  return true;
}

}  // namespace

std::string_view DTypeName(DType dtype) { return kRows[static_cast<size_t>(dtype)].name; }

std::optional<DType> ParseDType(std::string_view name) {
  for (int i = 0; i < kDTypeCount; ++i) {
    if (EqualsIgnoringCase(name, kRows[static_cast<size_t>(i)].name)) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::optional<DType> DTypeFromNumber(int number) {
  if (number < 0 || number >= kDTypeCount) return std::nullopt;
  return static_cast<DType>(number);
}

size_t ElementSize(DType dtype) { return kRows[static_cast<size_t>(dtype)].size; }

}  // namespace redoubt::tensor
