#include "search/expression.h"

#include <fmt/core.h>

#include <cmath>

#include "search/args.h"
#include "search/expression_node.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using Node = Expression::Node;
using Row = std::span<const Value>;

Result<Value> Evaluate(const Node& node, Row row);

Value Bool(bool value) { return Value(value ? 1.0 : 0.0); }

Result<double> NumberOf(const Node& node, Row row) {
  ASSIGN_OR_RETURN(Value value, Evaluate(node, row));
  if (std::optional<double> number = value.ToNumber()) return *number;
  return InvalidArgument(fmt::format("Could not convert value to a number: '{}'", value.ToText().substr(0, 64)));
}

// As of whole numbers; nothing is left of a division by zero.
double Modulo(double a, double b) {
  double divisor = std::trunc(b);
  return divisor == 0 ? std::nan("") : std::fmod(std::trunc(a), divisor);
}

double Compute(Operator op, double a, double b) {
  switch (op) {
    case Operator::kPlus:
      return a + b;
    case Operator::kMinus:
      return a - b;
    case Operator::kTimes:
      return a * b;
    case Operator::kDivide:
      return b == 0 ? std::nan("") : a / b;
    case Operator::kModulo:
      return Modulo(a, b);
    default:
      return std::pow(a, b);
  }
}

bool Orders(Operator op) {
  return op == Operator::kLess || op == Operator::kAtMost || op == Operator::kMore || op == Operator::kAtLeast;
}

// A number and text that is none have no order, but they are certainly unequal.
base::Status CheckComparable(const Value& a, const Value& b) {
  for (auto [number, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (number->number() == nullptr || other->text() == nullptr || other->ToNumber()) continue;
    return InvalidArgument(fmt::format("Error converting string '{}' to number", other->text()->substr(0, 64)));
  }
  return base::OkStatus();
}

Result<Value> CompareNodes(const Node& node, Row row) {
  ASSIGN_OR_RETURN(Value a, Evaluate(*node.children[0], row));
  ASSIGN_OR_RETURN(Value b, Evaluate(*node.children[1], row));
  if (Orders(node.op)) RETURN_IF_ERROR(CheckComparable(a, b));
  if ((a.number() != nullptr && std::isnan(*a.number())) || (b.number() != nullptr && std::isnan(*b.number()))) {
    return Bool(node.op == Operator::kUnequal);
  }
  int sign = Compare(a, b);
  switch (node.op) {
    case Operator::kEqual:
      return Bool(sign == 0);
    case Operator::kUnequal:
      return Bool(sign != 0);
    case Operator::kLess:
      return Bool(sign < 0);
    case Operator::kAtMost:
      return Bool(sign <= 0);
    case Operator::kMore:
      return Bool(sign > 0);
    default:
      return Bool(sign >= 0);
  }
}

Result<Value> EvaluateBinary(const Node& node, Row row) {
  if (node.op == Operator::kAnd || node.op == Operator::kOr) {
    ASSIGN_OR_RETURN(Value left, Evaluate(*node.children[0], row));
    if (left.Truthy() == (node.op == Operator::kOr)) return Bool(left.Truthy());
    ASSIGN_OR_RETURN(Value right, Evaluate(*node.children[1], row));
    return Bool(right.Truthy());
  }
  if (node.op < Operator::kPlus) return CompareNodes(node, row);
  ASSIGN_OR_RETURN(double a, NumberOf(*node.children[0], row));
  ASSIGN_OR_RETURN(double b, NumberOf(*node.children[1], row));
  return Value(Compute(node.op, a, b));
}

Result<Value> EvaluateExists(const Node& node, Row row) {
  Result<Value> value = Evaluate(*node.children[0], row);
  if (!value.ok() && value.status().code() == base::StatusCode::kNotFound) return Bool(false);
  if (!value.ok()) return value;
  return Bool(!value->null());
}

Result<Value> EvaluateCase(const Node& node, Row row) {
  ASSIGN_OR_RETURN(Value condition, Evaluate(*node.children[0], row));
  return Evaluate(*node.children[condition.Truthy() ? 1 : 2], row);
}

Result<Value> EvaluateCall(const Node& node, Row row) {
  if (node.function->lazy == ExpressionFunction::Lazy::kExists) return EvaluateExists(node, row);
  if (node.function->lazy == ExpressionFunction::Lazy::kCase) return EvaluateCase(node, row);
  Values arguments;
  arguments.reserve(node.children.size());
  for (const auto& child : node.children) {
    ASSIGN_OR_RETURN(Value value, Evaluate(*child, row));
    arguments.push_back(std::move(value));
  }
  return node.function->call(arguments);
}

Result<Value> EvaluateProperty(const Node& node, Row row) {
  if (!row[node.column].missing()) return row[node.column];
  return base::NotFound(fmt::format("{}: has no value, consider using EXISTS if applicable", node.name));
}

Result<Value> Evaluate(const Node& node, Row row) {
  switch (node.kind) {
    case Node::Kind::kLiteral:
      return node.literal;
    case Node::Kind::kProperty:
      return EvaluateProperty(node, row);
    case Node::Kind::kNot: {
      ASSIGN_OR_RETURN(Value value, Evaluate(*node.children[0], row));
      return Bool(!value.Truthy());
    }
    case Node::Kind::kNegate: {
      ASSIGN_OR_RETURN(double number, NumberOf(*node.children[0], row));
      return Value(-number);
    }
    case Node::Kind::kBinary:
      return EvaluateBinary(node, row);
    case Node::Kind::kCall:
      return EvaluateCall(node, row);
  }
  return Value::Null();
}

}  // namespace

Result<Value> Expression::Evaluate(std::span<const Value> row) const { return search::Evaluate(*root_, row); }

}  // namespace redoubt::search
