#include "backends/torch/source_check.h"

#include <cstddef>

namespace redoubt::backends::torch {
namespace {

// Half of what the deep stack (deep_stack.cc) holds when every byte of the text opens a level.
constexpr size_t kMaxSource = size_t{128} << 10;

}  // namespace

std::string RefusalOf(std::string_view source) {
  if (source.size() > kMaxSource) {
    return "the script has " + std::to_string(source.size()) + " bytes, more than the " + std::to_string(kMaxSource) +
           " that are compiled";
  }
  if (source.find('\0') != std::string_view::npos) return "the script holds a NUL byte";
  return {};
}

}  // namespace redoubt::backends::torch
