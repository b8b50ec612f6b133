#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "search/query_parser.h"
#include "search/value.h"

namespace redoubt::search {

// An expression of APPLY and FILTER: numbers, 'text', @property, $parameter, NULL, + - * / % ^ (all from left to
// right),
// == != < <= > >=, && || !, functions (expression_functions.h) and parentheses. A value: copies share the tree; any
// thread may evaluate it.
class Expression {
 public:
  // The column of a property; the error becomes that of the parse.
  using Resolver = std::function<base::Result<size_t>(std::string_view property)>;

  // Fails with InvalidArgument: the text names the place or the name that is unknown. At most 100 levels and 64 KiB.
  static base::Result<Expression> Parse(std::string_view text, const Params& params, const Resolver& resolver);

  // NotFound where a property that the expression needs is missing in the row, InvalidArgument for values that cannot
  // be computed with. `row` holds every column that the resolver gave.
  base::Result<Value> Evaluate(std::span<const Value> row) const;

  struct Node;

 private:
  explicit Expression(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace redoubt::search
