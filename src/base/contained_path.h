#pragma once

#include <string>

#include "base/result.h"

namespace redoubt::base {

// The real path (links followed) of `path`, which is taken relative to `directory` unless it is absolute.
// NotFound when one of them does not exist, PermissionDenied when the file lies outside of the directory.
Result<std::string> ContainedPath(const std::string& directory, const std::string& path);

}  // namespace redoubt::base
