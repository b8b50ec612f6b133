#pragma once

#include <string>
#include <string_view>

namespace redoubt::backends::torch {

// Why a script's text is not given to the compiler; empty when it is. What compiles the text, and what makes it ready
// at its first call, calls itself once per level of an expression or block: the length of the text bounds the levels,
// and both have a deep stack (deep_stack.h). How deep values are nested that a script makes is not bounded here.
std::string RefusalOf(std::string_view source);

}  // namespace redoubt::backends::torch
