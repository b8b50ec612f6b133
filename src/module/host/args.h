#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "module/host/api.h"

namespace redoubt::host {

// The words of a command, [0] its name as the client sent it. Valid while the command's function runs.
class Args {
 public:
  Args(RedisModuleString** argv, int argc) : argv_(argv), argc_(static_cast<size_t>(argc)) {}

  size_t size() const { return argc_; }
  std::string_view operator[](size_t i) const;
  RedisModuleString* raw(size_t i) const { return argv_[i]; }
  // The words [first, first + count) as a command of their own.
  Args Slice(size_t first, size_t count) const { return Args(argv_ + first, static_cast<int>(count)); }

  // Whether word `i` is `upper` (given in upper case); any case matches. False past the end.
  bool Is(size_t i, std::string_view upper) const;
  // The whole word as a decimal number; none when it is not one or does not fit.
  std::optional<int64_t> Integer(size_t i) const;
  std::optional<double> Double(size_t i) const;

 private:
  RedisModuleString** argv_;
  size_t argc_;
};

}  // namespace redoubt::host
