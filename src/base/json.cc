#include "base/json.h"

#include <fmt/core.h>

namespace redoubt::base {
namespace {

// Depth by counting brackets outside strings: cheaper than a parse, and it runs before one.
bool DeeperThan(std::string_view text, size_t max_depth) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return ResourceExhausted(fmt::format("JSON of {} bytes is over the limit of {}", text.size(), limits.max_bytes));
  }
  if (DeeperThan(text, limits.max_depth)) {
    return InvalidArgument(fmt::format("JSON is nested deeper than {} levels", limits.max_depth));
  }
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    return InvalidArgument(fmt::format("not valid JSON: {}", error.what()));
  }
}

std::string DumpJson(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace redoubt::base
