#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "server/alert/alert.h"
#include "server/alert/rule.h"
#include "server/alert/sample_facts.h"

namespace redoubt::alert {

// What a condition is held to at one instance: the rule's own, or what is set there.
struct Limits {
  double threshold = 1;
  double clear = 1;
  int hold_s = 0;
};

// Where one condition of one rule stands at one instance.
struct ConditionState {
  explicit ConditionState(const Condition& condition)
      : limits{condition.threshold, condition.clear, condition.hold_s},
        value(condition.value.NewMemory()),
        when(condition.when.NewMemory()),
        clear_when(condition.clear_when.NewMemory()) {}

  Limits limits;
  bool moved = false;  // the threshold moved while it had fired: judged anew, without hysteresis
  Memory value, when, clear_when;
  std::optional<int64_t> holding_since_ms;  // over the threshold, or not yet back beyond `clear`
  std::optional<int64_t> calm_since_ms;     // fired, but over: resolves after the rule's resolve_hold_s
  bool fired = false;
  std::optional<Finding> finding;  // as last seen while it held
};

// All rules at one instance: conditions come and go with the samples. One thread at a time.
class InstanceState {
 public:
  explicit InstanceState(const std::vector<Rule>& rules);

  void Observe(const monitor::Sample& sample);
  // Takes a stored alert's findings for fired.
  void Restore(const Alert& alert);
  // All that is set here; what it does not name has the defaults.
  void SetThresholds(Thresholds thresholds);
  const Thresholds& thresholds() const { return thresholds_; }

  // Of one group, worst first, one per rule: what has fired, or what only holds so far.
  std::vector<Finding> Fired(const std::string& group) const;
  std::vector<Finding> Holding(const std::string& group) const;
  std::optional<int64_t> HoldingSince(const std::string& group) const;

  // Rules that the last sample could not decide, with the fields that were absent.
  const std::map<std::string, std::set<std::string>>& missing() const { return missing_; }

 private:
  bool Enabled(const Rule& rule) const;
  void ObserveCondition(const Rule& rule, const Condition& condition, ConditionState& state, const Facts& facts,
                        const monitor::Sample& sample);
  static void Hold(const Rule& rule, const Condition& condition, ConditionState& state, double value,
                   const monitor::Sample& sample);
  static void LetGo(const Rule& rule, ConditionState& state, int64_t now_ms, bool at_once);
  std::vector<Finding> Findings(const std::string& group, bool fired) const;

  const std::vector<Rule>& rules_;
  std::vector<std::vector<ConditionState>> states_;  // by rule, by condition
  PollCounts counts_;
  Thresholds thresholds_;
  std::map<std::string, std::set<std::string>> missing_;
};

}  // namespace redoubt::alert
