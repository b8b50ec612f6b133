#include "module/ai/arguments.h"

#include <fmt/core.h>

#include <optional>

namespace redoubt::ai {

base::Status ReadTimeout(const host::Args& args, size_t* at, int64_t* timeout_ms, std::string_view where) {
  constexpr int64_t kMaxTimeoutMs = int64_t{1} << 40;
  if (*at + 1 >= args.size()) return Wrong(fmt::format("No value provided for TIMEOUT{}", where));
  const std::optional<int64_t> value = args.Integer(*at + 1);
  if (!value || *value <= 0 || *value > kMaxTimeoutMs) return Wrong("Invalid value for TIMEOUT");
  *timeout_ms = *value;
  *at += 2;
  return base::OkStatus();
}

}  // namespace redoubt::ai
