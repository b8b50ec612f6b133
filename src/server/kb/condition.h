#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace redoubt::kb {

// What a field says: the text as the server reported it, and its number where it is one ("1.5G" counts).
struct FieldValue {
  std::string text;
  std::optional<double> number;
};

// Where a condition reads from. `Before` and `SecondsBetween` are about an earlier observation, where there is one.
class FieldSource {
 public:
  virtual ~FieldSource() = default;
  virtual std::optional<FieldValue> Now(std::string_view field) const = 0;
  virtual std::optional<FieldValue> Before(std::string_view field) const = 0;
  virtual std::optional<double> SecondsBetween() const = 0;
};

// A field that took part in a condition: what it said and what it was compared with.
struct Observation {
  std::string field;      // "used_memory", "errorstat_OOM"
  std::string value;      // "52428800", "count=3", "count 3 -> 9"
  std::string threshold;  // "used_memory / maxmemory >= 90%"
};

// A condition over fields, as entries and rules write it:
//
//   used_memory / maxmemory >= 90% and maxmemory_policy == 'noeviction'
//   delta(errorstat_OOM.count) > 0 or not known(maxmemory)
//
// Numbers take kb, mb, gb and %; `~` asks whether a text contains another. delta(f) is the difference to the
// observation before, rate(f) the same per second, lifetime(f) the value by uptime_in_seconds, known(f) whether it was
// reported. A field that was not reported makes its comparison unknown, never false. Immutable, safe on many threads.
class Condition {
 public:
  enum class Truth { kFalse, kUnknown, kTrue };
  struct Outcome {
    Truth truth = Truth::kUnknown;
    std::vector<Observation> seen;     // of the comparisons that hold
    std::vector<std::string> missing;  // fields that were not reported
  };

  struct Node;  // of the parsed form, see condition_node.h

  // InvalidArgument names the place: "expected a value at 14: 'used_memory > '".
  static base::Result<Condition> Parse(std::string_view text);

  Outcome Evaluate(const FieldSource& source) const;
  const std::string& text() const { return text_; }

 private:
  friend class ConditionParser;
  friend class ConditionRun;
  std::string text_;
  std::shared_ptr<const Node> root_;
};

}  // namespace redoubt::kb
