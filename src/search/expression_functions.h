#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "search/value.h"

namespace redoubt::search {

// A function that expressions call. `lazy` ones (exists, case) are no functions of values: the evaluator knows them.
struct ExpressionFunction {
  enum class Lazy { kNo, kExists, kCase };
  std::string_view name;
  size_t fewest = 1;
  size_t most = 1;
  base::Result<Value> (*call)(std::span<const Value> arguments) = nullptr;
  Lazy lazy = Lazy::kNo;
};

// By name in either case; null when there is none.
const ExpressionFunction* FindExpressionFunction(std::string_view name);

// Of text: upper, lower, startswith, contains, strlen, substr, format, split, to_str, to_number.
std::span<const ExpressionFunction> TextFunctions();
// Of seconds since 1970, in UTC: timefmt, parsetime, year, month, day, hour, minute, monthofyear, dayofweek, ...
std::span<const ExpressionFunction> TimeFunctions();

}  // namespace redoubt::search
