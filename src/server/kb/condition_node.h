#pragma once

#include <memory>
#include <string>

#include "server/kb/condition.h"

namespace redoubt::kb {

// A node of a parsed condition.
struct Condition::Node {
  enum class Kind { kAnd, kOr, kNot, kCompare, kArithmetic, kNumber, kText, kField, kCall };
  Kind kind;
  std::string word;   // operator, field, function name or text
  double number = 0;  // kNumber
  std::shared_ptr<const Node> left, right;
  std::string source;  // kCompare: as it was written
};

}  // namespace redoubt::kb
