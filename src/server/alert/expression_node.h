#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "server/alert/expression.h"

namespace redoubt::alert {

struct EvaluationContext {
  const Facts& facts;
  Memory& memory;
  std::set<std::string>* missing;
};

// The compiled form: a tree of operations. Private to this folder.
struct Expression::Node {
  enum class Kind {
    kNumber,
    kText,
    kField,
    kNot,
    kNegate,
    kAnd,
    kOr,
    kEqual,
    kNotEqual,
    kLess,
    kLessEqual,
    kGreater,
    kGreaterEqual,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kCoalesce,
    kLeast,
    kGreatest,
    kStartsWith,
    kHas,
    kConfig,
    kErrors,
    kCalls,
    kDelta,
    kRate,
    kChange,
    kMax,
    kMin,
    kAvg,
    kSum,
    kP99,
    kGrowing,
    kHeld,
  };

  Kind kind = Kind::kNumber;
  double number = 0;               // of kNumber; the seconds of a window
  std::string text;                // of kText, kField, kHas, kConfig, kErrors
  std::vector<std::string> texts;  // of kCalls
  std::vector<std::shared_ptr<const Node>> children;
  size_t window = 0;  // index into the memory, for windowed kinds

  Value Evaluate(EvaluationContext& context) const;
};

// Takes the newest value into a window of `seconds` and answers from it. Nothing while there is too little past.
std::optional<double> AnswerFromWindow(Expression::Node::Kind kind, std::vector<TimedValue>& window,
                                       std::optional<double> newest, const Facts& facts, double seconds);

}  // namespace redoubt::alert
