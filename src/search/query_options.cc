#include "search/query_options.h"

#include <fmt/core.h>

#include <algorithm>

namespace redoubt::search {

using base::InvalidArgument;
using base::OkStatus;

Status ParseParams(ArgCursor& args, Params& params) {
  if (!params.empty()) return InvalidArgument("Multiple PARAMS are not allowed. Parameters can be defined only once");
  ASSIGN_OR_RETURN(std::span<const std::string_view> pairs, args.NextList("PARAMS"));
  if (pairs.empty() || pairs.size() % 2 != 0) {
    return InvalidArgument("Parameters must be specified in PARAM VALUE pairs");
  }
  for (size_t i = 0; i < pairs.size(); i += 2) {
    auto same = [&](const auto& param) { return param.first == pairs[i]; };
    if (std::any_of(params.begin(), params.end(), same)) {
      return InvalidArgument(fmt::format("Duplicate parameter `{}`", pairs[i]));
    }
    params.emplace_back(pairs[i], pairs[i + 1]);
  }
  return OkStatus();
}

Status ParseDialect(ArgCursor& args, int& dialect) {
  Result<size_t> number = args.NextSize("DIALECT");
  if (!number.ok() || *number < 1 || *number > 4) {
    return InvalidArgument("DIALECT requires a non negative integer >=1 and <= 4");
  }
  dialect = static_cast<int>(*number);
  return OkStatus();
}

Status ParseTimeout(ArgCursor& args, int64_t& timeout_ms) {
  Result<size_t> timeout = args.NextSize("TIMEOUT");
  if (!timeout.ok() || *timeout > (size_t{1} << 40)) {
    return InvalidArgument("TIMEOUT requires a non negative integer");
  }
  timeout_ms = static_cast<int64_t>(*timeout);
  return OkStatus();
}

}  // namespace redoubt::search
