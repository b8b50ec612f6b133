#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::search {

using base::Result;
using base::Status;

bool EqualsIgnoringCase(std::string_view a, std::string_view b);
std::string ToUpper(std::string_view text);

// The whole text as a number; nothing when it is none or out of range.
std::optional<double> ParseDouble(std::string_view text);  // also inf, +inf, -inf; never NaN
std::optional<size_t> ParseSize(std::string_view text);    // decimal digits only

// A walk over a command's arguments. Borrows them.
class ArgCursor {
 public:
  explicit ArgCursor(std::span<const std::string_view> args) : args_(args) {}

  bool done() const { return at_ == args_.size(); }
  size_t position() const { return at_; }
  size_t remaining() const { return args_.size() - at_; }
  std::string_view Peek() const { return args_[at_]; }  // not when done()

  // Steps over the next argument when it is `keyword`, in either case.
  bool Take(std::string_view keyword);
  // The next argument; the error is that of `option` without its value.
  Result<std::string_view> Next(std::string_view option);
  Result<size_t> NextSize(std::string_view option);
  Result<double> NextDouble(std::string_view option);
  // `option N a1 .. aN`: the N arguments.
  Result<std::span<const std::string_view>> NextList(std::string_view option);

 private:
  std::span<const std::string_view> args_;
  size_t at_ = 0;
};

}  // namespace redoubt::search
