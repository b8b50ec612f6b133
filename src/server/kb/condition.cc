#include "server/kb/condition.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "server/kb/condition_node.h"

namespace redoubt::kb {

// One evaluation: collects what was looked at on the way.
class ConditionRun {
 public:
  using Truth = Condition::Truth;
  using Node = Condition::Node;
  using Kind = Node::Kind;

  ConditionRun(const FieldSource& source, Condition::Outcome& outcome) : source_(source), outcome_(outcome) {}

  Truth Decide(const Node& node) {
    switch (node.kind) {
      case Kind::kAnd:
        // Both sides are looked at, so that evidence and missing fields are complete.
        return std::min(Decide(*node.left), Decide(*node.right));
      case Kind::kOr:
        return std::max(Decide(*node.left), Decide(*node.right));
      case Kind::kNot: {
        Truth inner = Decide(*node.left);
        if (inner == Truth::kUnknown) return inner;
        return inner == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
      }
      case Kind::kCompare:
        return Compare(node);
      default: {
        std::optional<FieldValue> value = Value(node);
        if (!value || !value->number) return Truth::kUnknown;
        return *value->number != 0 ? Truth::kTrue : Truth::kFalse;
      }
    }
  }

 private:
  Truth Compare(const Node& node) {
    used_.clear();
    std::optional<FieldValue> left = Value(*node.left);
    std::optional<FieldValue> right = Value(*node.right);
    if (!left || !right) return Truth::kUnknown;
    std::optional<bool> holds = Holds(node, *left, *right);
    if (!holds) return Truth::kUnknown;
    if (*holds) Note(node);
    return *holds ? Truth::kTrue : Truth::kFalse;
  }

  static std::optional<bool> Holds(const Node& node, const FieldValue& left, const FieldValue& right) {
    if (node.word == "~") return left.text.find(right.text) != std::string::npos;
    bool text = node.left->kind == Kind::kText || node.right->kind == Kind::kText;
    if (text) {
      if (node.word == "==") return left.text == right.text;
      if (node.word == "!=") return left.text != right.text;
      return std::nullopt;
    }
    if (!left.number || !right.number) return std::nullopt;
    double a = *left.number, b = *right.number;
    if (node.word == ">=") return a >= b;
    if (node.word == "<=") return a <= b;
    if (node.word == "==") return a == b;
    if (node.word == "!=") return a != b;
    return node.word == ">" ? a > b : a < b;
  }

  std::optional<FieldValue> Value(const Node& node) {
    switch (node.kind) {
      case Kind::kNumber:
        return FieldValue{"", node.number};
      case Kind::kText:
        return FieldValue{node.word, std::nullopt};
      case Kind::kField:
        return Field(node.word);
      case Kind::kCall:
        return Call(node.word, node.left->word);
      case Kind::kArithmetic:
        return Arithmetic(node);
      default:
        return std::nullopt;
    }
  }

  std::optional<FieldValue> Field(const std::string& name) {
    std::optional<FieldValue> value = source_.Now(name);
    if (!value) {
      Miss(name);
      return std::nullopt;
    }
    Use(name, value->text);
    return value;
  }

  std::optional<FieldValue> Call(const std::string& function, const std::string& name) {
    std::optional<FieldValue> now = source_.Now(name);
    if (function == "known") return FieldValue{"", now ? 1.0 : 0.0};
    if (!now || !now->number) {
      Miss(name);
      return std::nullopt;
    }
    if (function == "lifetime") return Lifetime(name, *now);
    std::optional<FieldValue> before = source_.Before(name);
    std::optional<double> seconds = source_.SecondsBetween();
    if (!before || !before->number || !seconds || *seconds <= 0) {
      Miss(function + "(" + name + ")");
      return std::nullopt;
    }
    // A counter that went back belongs to a server that restarted: there is no difference to speak of.
    double delta = *now->number - *before->number;
    if (delta < 0) return std::nullopt;
    Use(name, fmt::format("{} -> {} ({:.0f} s)", before->text, now->text, *seconds));
    return FieldValue{"", function == "rate" ? delta / *seconds : delta};
  }

  std::optional<FieldValue> Lifetime(const std::string& name, const FieldValue& now) {
    std::optional<FieldValue> uptime = source_.Now("uptime_in_seconds");
    if (!uptime || !uptime->number || *uptime->number < 60) {
      Miss("uptime_in_seconds");
      return std::nullopt;
    }
    Use(name, now.text);
    Use("uptime_in_seconds", uptime->text);
    return FieldValue{"", *now.number / *uptime->number};
  }

  std::optional<FieldValue> Arithmetic(const Node& node) {
    std::optional<FieldValue> left = Value(*node.left);
    std::optional<FieldValue> right = Value(*node.right);
    // mem_not_counted_for_evict and the like: what an old server does not report counts as nothing in a difference.
    if (node.word == "-" && left && left->number && !right && node.right->kind == Kind::kField) return left;
    if (!left || !right || !left->number || !right->number) return std::nullopt;
    double a = *left->number, b = *right->number;
    if (node.word == "/") return b == 0 ? std::nullopt : std::optional(FieldValue{"", a / b});
    if (node.word == "*") return FieldValue{"", a * b};
    return FieldValue{"", node.word == "+" ? a + b : a - b};
  }

  void Use(const std::string& name, const std::string& text) {
    size_t dot = name.find('.');
    bool setting = name.starts_with("config.") || name.starts_with("latency.");
    if (dot == std::string::npos || setting) {
      used_.push_back({name, text, ""});
    } else {
      used_.push_back({name.substr(0, dot), name.substr(dot + 1) + "=" + text, ""});
    }
  }

  void Miss(const std::string& name) {
    if (std::find(outcome_.missing.begin(), outcome_.missing.end(), name) == outcome_.missing.end()) {
      outcome_.missing.push_back(name);
    }
  }

  void Note(const Node& node) {
    for (Observation& seen : used_) {
      seen.threshold = node.source;
      outcome_.seen.push_back(std::move(seen));
    }
    used_.clear();
  }

  const FieldSource& source_;
  Condition::Outcome& outcome_;
  std::vector<Observation> used_;
};

Condition::Outcome Condition::Evaluate(const FieldSource& source) const {
  Outcome outcome;
  outcome.truth = ConditionRun(source, outcome).Decide(*root_);
  return outcome;
}

}  // namespace redoubt::kb
