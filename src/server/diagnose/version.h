#pragma once

#include <string_view>

namespace redoubt::diagnose {

// Compares "7.0.15" and "7.2" number by number; text that is no version counts as 0.
bool VersionBelow(std::string_view version, std::string_view floor);

}  // namespace redoubt::diagnose
