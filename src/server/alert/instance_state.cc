#include "server/alert/instance_state.h"

#include <algorithm>
#include <utility>

namespace redoubt::alert {

using base::Lang;

namespace {

// Replaces {value}, {threshold} and {any INFO field}.
std::string Render(const std::string& pattern, const std::string& value, const std::string& threshold,
                   const monitor::InfoFields& info) {
  std::string text;
  size_t position = 0;
  while (position < pattern.size()) {
    size_t open = pattern.find('{', position);
    size_t close = open == std::string::npos ? open : pattern.find('}', open);
    if (close == std::string::npos) break;
    text.append(pattern, position, open - position);
    std::string name = pattern.substr(open + 1, close - open - 1);
    if (name == "value") {
      text += value;
    } else if (name == "threshold") {
      text += threshold;
    } else {
      text += info.Text(name).value_or("?");
    }
    position = close + 1;
  }
  return text.append(pattern, position);
}

base::LocalText Message(const Condition& condition, double value, double threshold, const monitor::InfoFields& info) {
  auto in = [&](Lang lang) {
    return Render(condition.message.In(lang), FormatValue(value, condition.format, lang),
                  FormatValue(threshold, condition.format, lang), info);
  };
  return {in(Lang::kKo), in(Lang::kEn)};
}

Limits LimitsOf(const Condition& condition, const RuleThresholds& set) {
  Limits limits{condition.threshold, condition.clear, set.hold_s.value_or(condition.hold_s)};
  auto threshold = set.values.find(condition.name);
  if (threshold == set.values.end()) return limits;
  limits.threshold = threshold->second;
  // The same relative hysteresis as the rule's own.
  limits.clear = condition.threshold == 0 ? limits.threshold : limits.threshold * condition.clear / condition.threshold;
  return limits;
}

bool WorseFirst(const Finding& a, const Finding& b) { return a.severity > b.severity; }

}  // namespace

InstanceState::InstanceState(const std::vector<Rule>& rules) : rules_(rules) {
  for (const Rule& rule : rules) {
    states_.emplace_back();
    for (const Condition& condition : rule.conditions) states_.back().emplace_back(condition);
  }
}

bool InstanceState::Enabled(const Rule& rule) const {
  auto set = thresholds_.find(rule.id);
  return set == thresholds_.end() || set->second.enabled;
}

void InstanceState::SetThresholds(Thresholds thresholds) {
  thresholds_ = std::move(thresholds);
  for (size_t r = 0; r < rules_.size(); ++r) {
    auto set = thresholds_.find(rules_[r].id);
    for (size_t c = 0; c < rules_[r].conditions.size(); ++c) {
      Limits limits = LimitsOf(rules_[r].conditions[c], set == thresholds_.end() ? RuleThresholds{} : set->second);
      ConditionState& state = states_[r][c];
      if (state.fired && limits.threshold != state.limits.threshold) state.moved = true;
      state.limits = limits;
    }
  }
}

void InstanceState::Hold(const Rule& rule, const Condition& condition, ConditionState& state, double value,
                         const monitor::Sample& sample) {
  state.calm_since_ms.reset();
  if (!state.holding_since_ms) state.holding_since_ms = sample.at_ms;
  double threshold = state.limits.threshold;
  state.finding = Finding{rule.id, condition.severity, condition.metric,
                          value,   threshold,          Message(condition, value, threshold, sample.info)};
  if (sample.at_ms - *state.holding_since_ms >= int64_t{state.limits.hold_s} * 1000) state.fired = true;
}

void InstanceState::LetGo(const Rule& rule, ConditionState& state, int64_t now_ms, bool at_once) {
  if (state.fired && !at_once) {
    if (!state.calm_since_ms) state.calm_since_ms = now_ms;
    if (now_ms - *state.calm_since_ms < int64_t{rule.resolve_hold_s} * 1000) return;
  }
  state.fired = false;
  state.holding_since_ms.reset();
  state.calm_since_ms.reset();
  state.finding.reset();
}

void InstanceState::ObserveCondition(const Rule& rule, const Condition& condition, ConditionState& state,
                                     const Facts& facts, const monitor::Sample& sample) {
  std::set<std::string> missing;
  std::optional<bool> when = condition.when.Evaluate(facts, state.when, &missing).truth();
  std::optional<double> value = condition.value.Evaluate(facts, state.value, &missing).number();
  bool clears = condition.clear_when.Evaluate(facts, state.clear_when).truth().value_or(false);
  if (!Enabled(rule) || when == false) {
    LetGo(rule, state, sample.at_ms, !Enabled(rule));
    return;
  }
  if (!when || !value) {  // not observable: neither true nor false, so nothing changes
    missing_[rule.id].merge(missing);
    return;
  }
  const bool moved = std::exchange(state.moved, false);
  // Once it holds, it lets go only beyond `clear`.
  double limit = state.fired && !moved ? state.limits.clear : state.limits.threshold;
  bool holds = condition.below ? *value < limit : *value >= limit;
  if (holds && !clears) {
    Hold(rule, condition, state, *value, sample);
  } else {
    LetGo(rule, state, sample.at_ms, clears || moved);
  }
}

void InstanceState::Observe(const monitor::Sample& sample) {
  counts_.Count(sample);
  missing_.clear();
  SampleFacts facts(sample, counts_);
  for (size_t r = 0; r < rules_.size(); ++r) {
    for (size_t c = 0; c < rules_[r].conditions.size(); ++c) {
      ObserveCondition(rules_[r], rules_[r].conditions[c], states_[r][c], facts, sample);
    }
  }
}

void InstanceState::Restore(const Alert& alert) {
  for (const Finding& finding : alert.findings) {
    for (size_t r = 0; r < rules_.size(); ++r) {
      if (rules_[r].id != finding.rule) continue;
      for (size_t c = 0; c < rules_[r].conditions.size(); ++c) {
        const Condition& condition = rules_[r].conditions[c];
        if (condition.severity != finding.severity || condition.metric != finding.metric) continue;
        states_[r][c].fired = true;
        states_[r][c].holding_since_ms = alert.started_at_ms;
        states_[r][c].finding = finding;
      }
    }
  }
}

std::vector<Finding> InstanceState::Findings(const std::string& group, bool fired) const {
  std::vector<Finding> findings;
  for (size_t r = 0; r < rules_.size(); ++r) {
    if (rules_[r].group != group) continue;
    const Finding* worst = nullptr;
    for (const ConditionState& state : states_[r]) {
      if (!state.finding || state.fired != fired) continue;
      if (worst == nullptr || state.finding->severity > worst->severity) worst = &*state.finding;
    }
    if (worst != nullptr) findings.push_back(*worst);
  }
  std::stable_sort(findings.begin(), findings.end(), WorseFirst);
  return findings;
}

std::vector<Finding> InstanceState::Fired(const std::string& group) const { return Findings(group, true); }
std::vector<Finding> InstanceState::Holding(const std::string& group) const { return Findings(group, false); }

std::optional<int64_t> InstanceState::HoldingSince(const std::string& group) const {
  std::optional<int64_t> since_ms;
  for (size_t r = 0; r < rules_.size(); ++r) {
    if (rules_[r].group != group) continue;
    for (const ConditionState& state : states_[r]) {
      if (!state.holding_since_ms) continue;
      since_ms = since_ms ? std::min(*since_ms, *state.holding_since_ms) : *state.holding_since_ms;
    }
  }
  return since_ms;
}

}  // namespace redoubt::alert
