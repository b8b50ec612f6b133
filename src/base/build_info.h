#pragma once

#include <string_view>

namespace redoubt::base {

// The commit this was built from, 40 hexadecimal digits; "unknown" when it was not built from a git clone.
std::string_view GitSha();

}  // namespace redoubt::base
