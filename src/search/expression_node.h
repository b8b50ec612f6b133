#pragma once

#include <memory>
#include <string>
#include <vector>

#include "search/expression.h"
#include "search/expression_functions.h"

namespace redoubt::search {

enum class Operator {
  kOr,
  kAnd,
  kEqual,
  kUnequal,
  kLess,
  kAtMost,
  kMore,
  kAtLeast,
  kPlus,
  kMinus,
  kTimes,
  kDivide,
  kModulo,
  kPower
};

// A node of an expression's tree.
struct Expression::Node {
  enum class Kind { kLiteral, kProperty, kNot, kNegate, kBinary, kCall };
  Kind kind = Kind::kLiteral;
  Value literal;
  size_t column = 0;
  std::string name;  // of a property
  Operator op = Operator::kOr;
  const ExpressionFunction* function = nullptr;
  std::vector<std::unique_ptr<Node>> children;
};

}  // namespace redoubt::search
