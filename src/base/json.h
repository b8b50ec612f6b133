#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "base/result.h"

namespace redoubt::base {

struct JsonLimits {
  size_t max_bytes = 64u << 20;
  size_t max_depth = 64;
};

// Parses untrusted text. InvalidArgument says where the fault is; a deeper or longer text than `limits` is refused
// before anything is built from it.
Result<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});

// Never throws: bytes that are no UTF-8 become U+FFFD.
std::string DumpJson(const Json& value, int indent = -1);

}  // namespace redoubt::base
