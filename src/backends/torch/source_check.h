#pragma once

#include <string>
#include <string_view>

namespace redoubt::backends::torch {

// Why a script's text is not given to the compiler; empty when it is. The compiler calls itself once per level of an
// expression or block: what could nest without end is bounded here, before it costs the process its stack.
std::string RefusalOf(std::string_view source);

}  // namespace redoubt::backends::torch
