#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "base/lang.h"

namespace redoubt::alert {

struct Rule;

// What one instance wants of one rule instead of the defaults.
struct RuleThresholds {
  std::map<std::string, double> values;  // by condition name: "warning", "critical", "critical_percent"
  std::optional<int> hold_s;             // for all its conditions
  bool enabled = true;

  bool operator==(const RuleThresholds&) const = default;
};
// By rule id. One that equals RuleThresholds{} stands for the defaults.
using Thresholds = std::map<std::string, RuleThresholds>;

struct ThresholdsRead {
  Thresholds thresholds;
  // Set when nothing may be taken: names the field, and what to do.
  struct Fault {
    base::LocalText message;
    base::LocalText hint;
  };
  std::optional<Fault> fault;
};

// Reads {"memory_usage": {"warning": 70, "critical": 85, "hold_s": 30, "enabled": true}, "slow_commands": null}.
// A value that is the default counts as not set. Faults: an unknown rule or name, a wrong type or range, a warning
// beyond the critical threshold of the same metric.
ThresholdsRead ReadThresholds(const std::vector<Rule>& rules, const base::Json& json);
base::Json ToRecord(const Thresholds& thresholds);  // ReadThresholds takes it back

// The API's form: every rule with what applies, its defaults beside it.
base::Json ThresholdsView(const std::vector<Rule>& rules, const Thresholds& thresholds, base::Lang lang);

}  // namespace redoubt::alert
