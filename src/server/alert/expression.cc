#include "server/alert/expression.h"

#include <algorithm>

#include "server/alert/expression_node.h"

namespace redoubt::alert {
namespace {

using Node = Expression::Node;
using Kind = Node::Kind;

Value And(const Node& node, EvaluationContext& context) {
  // Both sides always: their windows must see every sample.
  std::optional<bool> left = node.children[0]->Evaluate(context).truth();
  std::optional<bool> right = node.children[1]->Evaluate(context).truth();
  if (left == false || right == false) return false;
  if (!left || !right) return {};
  return true;
}

Value Or(const Node& node, EvaluationContext& context) {
  std::optional<bool> left = node.children[0]->Evaluate(context).truth();
  std::optional<bool> right = node.children[1]->Evaluate(context).truth();
  if (left == true || right == true) return true;
  if (!left || !right) return {};
  return false;
}

Value Compare(const Node& node, EvaluationContext& context) {
  Value left = node.children[0]->Evaluate(context);
  Value right = node.children[1]->Evaluate(context);
  if (!left.observable() || !right.observable()) return {};
  if (left.text() != nullptr || right.text() != nullptr) {
    bool same = left.text() != nullptr && right.text() != nullptr && *left.text() == *right.text();
    if (node.kind == Kind::kEqual) return same;
    if (node.kind == Kind::kNotEqual) return !same;
    return {};
  }
  double a = *left.number(), b = *right.number();
  switch (node.kind) {
    case Kind::kEqual:
      return a == b;
    case Kind::kNotEqual:
      return a != b;
    case Kind::kLess:
      return a < b;
    case Kind::kLessEqual:
      return a <= b;
    case Kind::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

Value Calculate(const Node& node, EvaluationContext& context) {
  std::optional<double> left = node.children[0]->Evaluate(context).number();
  std::optional<double> right = node.children[1]->Evaluate(context).number();
  if (!left || !right) return {};
  switch (node.kind) {
    case Kind::kAdd:
      return *left + *right;
    case Kind::kSubtract:
      return *left - *right;
    case Kind::kMultiply:
      return *left * *right;
    default:
      if (*right == 0) return {};
      return *left / *right;
  }
}

Value Coalesce(const Node& node, EvaluationContext& context) {
  // An absent first choice is no missing field while a later one is there.
  std::set<std::string> missing;
  EvaluationContext inner{context.facts, context.memory, &missing};
  Value chosen;
  for (const auto& child : node.children) {
    Value value = child->Evaluate(inner);
    if (!chosen.observable()) chosen = std::move(value);
  }
  if (!chosen.observable() && context.missing != nullptr) context.missing->merge(missing);
  return chosen;
}

Value Extreme(const Node& node, EvaluationContext& context) {
  std::optional<double> best;
  for (const auto& child : node.children) {
    std::optional<double> number = child->Evaluate(context).number();
    if (!number) return {};
    if (!best || (node.kind == Kind::kLeast ? *number < *best : *number > *best)) best = number;
  }
  return *best;
}

Value Missing(Value value, std::string name, EvaluationContext& context) {
  if (!value.observable() && context.missing != nullptr) context.missing->insert(std::move(name));
  return value;
}

Value Windowed(const Node& node, EvaluationContext& context) {
  Value inner = node.children[0]->Evaluate(context);
  std::optional<double> answer =
      AnswerFromWindow(node.kind, context.memory.window(node.window), inner.number(), context.facts, node.number);
  return answer ? Value(*answer) : Value();
}

}  // namespace

Value Expression::Node::Evaluate(EvaluationContext& context) const {
  switch (kind) {
    case Kind::kNumber:
      return number;
    case Kind::kText:
      return text;
    case Kind::kField:
      return Missing(context.facts.Field(text), text, context);
    case Kind::kNot: {
      std::optional<bool> truth = children[0]->Evaluate(context).truth();
      return truth ? Value(!*truth) : Value();
    }
    case Kind::kNegate: {
      std::optional<double> value = children[0]->Evaluate(context).number();
      return value ? Value(-*value) : Value();
    }
    case Kind::kAnd:
      return And(*this, context);
    case Kind::kOr:
      return Or(*this, context);
    case Kind::kEqual:
    case Kind::kNotEqual:
    case Kind::kLess:
    case Kind::kLessEqual:
    case Kind::kGreater:
    case Kind::kGreaterEqual:
      return Compare(*this, context);
    case Kind::kAdd:
    case Kind::kSubtract:
    case Kind::kMultiply:
    case Kind::kDivide:
      return Calculate(*this, context);
    case Kind::kCoalesce:
      return Coalesce(*this, context);
    case Kind::kLeast:
    case Kind::kGreatest:
      return Extreme(*this, context);
    case Kind::kStartsWith: {
      Value value = children[0]->Evaluate(context);
      return value.text() == nullptr ? Value() : Value(value.text()->starts_with(text));
    }
    case Kind::kHas:
      return context.facts.Field(text).observable();
    case Kind::kConfig:
      return Missing(context.facts.Config(text), "config " + text, context);
    case Kind::kErrors:
      return Missing(context.facts.Errors(text), "errorstat_" + text, context);
    case Kind::kCalls:
      return Missing(context.facts.Calls(texts), "commandstats", context);
    default:
      return Windowed(*this, context);
  }
}

Value Expression::Evaluate(const Facts& facts, Memory& memory, std::set<std::string>* missing) const {
  EvaluationContext context{facts, memory, missing};
  return root_->Evaluate(context);
}

}  // namespace redoubt::alert
