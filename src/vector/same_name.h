#pragma once

#include <algorithm>
#include <cctype>
#include <string_view>

namespace redoubt::vector {

// Whether `given` is the word `upper`, in either case.
inline bool SameName(std::string_view given, std::string_view upper) {
  return std::ranges::equal(given, upper,
                            [](char a, char b) { return std::toupper(static_cast<unsigned char>(a)) == b; });
}

}  // namespace redoubt::vector
