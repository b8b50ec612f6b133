#pragma once

#include <cstddef>
#include <string_view>

namespace redoubt::api {

inline constexpr std::string_view kVersion = REDOUBT_VERSION;  // from the build
#ifdef NDEBUG
inline constexpr std::string_view kBuild = "release";
#else
inline constexpr std::string_view kBuild = "debug";
#endif

// The log text of one analysis; openapi.json says so too.
inline constexpr size_t kMaxLogTextBytes = 8'000'000;

}  // namespace redoubt::api
