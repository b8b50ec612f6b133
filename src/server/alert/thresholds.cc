#include "server/alert/thresholds.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "server/alert/rule.h"

namespace redoubt::alert {

using base::Json;
using base::Lang;
using Fault = ThresholdsRead::Fault;

namespace {

constexpr double kLargest = 1e15;
constexpr int kLongestHold = 86'400;

// Yes or no, so there is no number to set.
bool HasThreshold(const Condition& condition) { return condition.format != "state"; }

std::string FieldOf(const Rule& rule, const std::string& name) {
  return fmt::format("rules.{}.{}", rule.id, name.substr(0, 100));
}

Fault WrongValue(const std::string& field, std::string_view korean, std::string_view english) {
  return {{fmt::format("'{}' 필드는 {}", field, korean), fmt::format("Field '{}' {}", field, english)}, {}};
}

Fault UnknownName(const Rule& rule, const std::string& name) {
  std::string names;
  for (const Condition& condition : rule.conditions) {
    if (HasThreshold(condition)) names += condition.name + ", ";
  }
  names += "hold_s, enabled";
  std::string field = FieldOf(rule, name);
  return {{fmt::format("'{}'은(는) 없는 필드입니다.", field), fmt::format("There is no field '{}'.", field)},
          {fmt::format("쓸 수 있는 이름: {}", names), fmt::format("It takes: {}", names)}};
}

Fault UnknownRule(const std::string& id) {
  std::string shown = id.substr(0, 100);
  return {{fmt::format("'rules.{}': 그런 규칙은 없습니다.", shown),
           fmt::format("'rules.{}': there is no such rule.", shown)},
          {"GET /api/v1/monitor/thresholds에서 규칙 이름을 확인하세요.",
           "GET /api/v1/monitor/thresholds lists the rules."}};
}

std::optional<Fault> ReadNumber(const Rule& rule, const Condition& condition, const Json& value, RuleThresholds& out) {
  std::string field = FieldOf(rule, condition.name);
  if (!HasThreshold(condition)) {
    return Fault{
        {fmt::format("'{}'에는 정할 임계값이 없습니다.", field), fmt::format("'{}' has no threshold to set.", field)},
        {"예, 아니요로 판단하는 조건입니다. hold_s로 지속 시간을, enabled로 사용 여부를 정하세요.",
         "The condition is yes or no. Set how long it must last by hold_s, or switch the rule by enabled."}};
  }
  if (!value.is_number()) return WrongValue(field, "수여야 합니다.", "must be a number.");
  double number = value.get<double>();
  bool percent = condition.format == "percent";
  if (!(number > 0 && number <= (percent ? 100 : kLargest))) {
    return percent ? WrongValue(field, "0보다 크고 100 이하인 수여야 합니다.", "must be above 0 and at most 100.")
                   : WrongValue(field, "0보다 큰 수여야 합니다.", "must be above 0 (and at most 1e15).");
  }
  out.values[condition.name] = number;
  return std::nullopt;
}

std::optional<Fault> ReadField(const Rule& rule, const std::string& name, const Json& value, RuleThresholds& out) {
  if (name == "enabled") {
    if (!value.is_boolean()) {
      return WrongValue(FieldOf(rule, name), "true 또는 false여야 합니다.", "must be true or false.");
    }
    out.enabled = value.get<bool>();
    return std::nullopt;
  }
  if (name == "hold_s") {
    double hold_s = value.is_number() ? value.get<double>() : -1;
    if (!(hold_s >= 0 && hold_s <= kLongestHold && std::floor(hold_s) == hold_s)) {
      return WrongValue(FieldOf(rule, name), "0~86400 사이의 정수(초)여야 합니다.",
                        "must be a whole number of seconds from 0 to 86400.");
    }
    out.hold_s = static_cast<int>(hold_s);
    return std::nullopt;
  }
  for (const Condition& condition : rule.conditions) {
    if (condition.name == name) return ReadNumber(rule, condition, value, out);
  }
  return UnknownName(rule, name);
}

double ValueOf(const Condition& condition, const RuleThresholds& set) {
  auto found = set.values.find(condition.name);
  return found == set.values.end() ? condition.threshold : found->second;
}

// Two conditions of one metric whose defaults rise from warning to critical are one scale.
bool OneScale(const Condition& warning, const Condition& critical) {
  if (warning.severity != Severity::kWarning || critical.severity != Severity::kCritical) return false;
  if (warning.metric != critical.metric || warning.below != critical.below) return false;
  return warning.below ? warning.threshold > critical.threshold : warning.threshold < critical.threshold;
}

Fault BeyondCritical(const Rule& rule, const Condition& warning, const Condition& critical, const RuleThresholds& set) {
  const Condition& named = set.values.contains(warning.name) ? warning : critical;
  std::string field = FieldOf(rule, named.name);
  auto in = [&](Lang lang, const Condition& condition) {
    return FormatValue(ValueOf(condition, set), condition.format, lang);
  };
  return {{fmt::format("'{}': 경고 임계값({})이 위험 임계값({})을 넘습니다.", field, in(Lang::kKo, warning),
                       in(Lang::kKo, critical)),
           fmt::format("'{}': the warning threshold ({}) lies beyond the critical one ({}).", field,
                       in(Lang::kEn, warning), in(Lang::kEn, critical))},
          {fmt::format("경고 임계값을 {} {}로 정하거나 위험 임계값을 {} {}로 정하세요.", in(Lang::kKo, critical),
                       warning.below ? "이상으" : "이하", in(Lang::kKo, warning), warning.below ? "이하" : "이상으"),
           fmt::format("Set the warning to {} or {}, or the critical threshold to {} or {}.", in(Lang::kEn, critical),
                       warning.below ? "more" : "less", in(Lang::kEn, warning), warning.below ? "less" : "more")}};
}

std::optional<Fault> CheckOrder(const Rule& rule, const RuleThresholds& set) {
  for (const Condition& warning : rule.conditions) {
    for (const Condition& critical : rule.conditions) {
      if (!OneScale(warning, critical)) continue;
      if (!set.values.contains(warning.name) && !set.values.contains(critical.name)) continue;
      double low = ValueOf(warning, set), high = ValueOf(critical, set);
      if (warning.below ? low < high : low > high) return BeyondCritical(rule, warning, critical, set);
    }
  }
  return std::nullopt;
}

// What was set to its default is not set.
void DropDefaults(const Rule& rule, RuleThresholds& set) {
  bool holds_as_ever = true;
  for (const Condition& condition : rule.conditions) {
    auto value = set.values.find(condition.name);
    if (value != set.values.end() && value->second == condition.threshold) set.values.erase(value);
    if (set.hold_s && *set.hold_s != condition.hold_s) holds_as_ever = false;
  }
  if (holds_as_ever) set.hold_s.reset();
}

std::optional<Fault> ReadRule(const Rule& rule, const Json& json, RuleThresholds& out) {
  if (json.is_null()) return std::nullopt;
  if (!json.is_object()) {
    return WrongValue("rules." + rule.id, "객체여야 합니다. null이면 기본값으로 되돌립니다.",
                      "must be an object, or null for the defaults.");
  }
  for (const auto& [name, value] : json.items()) {
    if (std::optional<Fault> fault = ReadField(rule, name, value, out)) return fault;
  }
  std::optional<Fault> fault = CheckOrder(rule, out);
  DropDefaults(rule, out);
  return fault;
}

Json ConditionView(const Condition& condition, const RuleThresholds& set) {
  return {{"name", condition.name},
          {"severity", SeverityName(condition.severity)},
          {"metric", condition.metric},
          {"format", condition.format},
          {"operator", condition.below ? "<" : ">="},
          {"threshold", ValueOf(condition, set)},
          {"default_threshold", condition.threshold},
          {"hold_s", set.hold_s.value_or(condition.hold_s)},
          {"default_hold_s", condition.hold_s},
          {"settable", HasThreshold(condition)}};
}

}  // namespace

ThresholdsRead ReadThresholds(const std::vector<Rule>& rules, const Json& json) {
  ThresholdsRead read;
  if (!json.is_object()) {
    read.fault = WrongValue("rules", "규칙 이름별 객체여야 합니다.", "must be an object by rule id.");
    return read;
  }
  for (const auto& [id, value] : json.items()) {
    auto rule = std::find_if(rules.begin(), rules.end(), [&, &id = id](const Rule& one) { return one.id == id; });
    read.fault = rule == rules.end() ? UnknownRule(id) : ReadRule(*rule, value, read.thresholds[id]);
    if (read.fault) return read;
  }
  return read;
}

Json ToRecord(const Thresholds& thresholds) {
  Json record = Json::object();
  for (const auto& [id, set] : thresholds) {
    Json rule = set.values;
    if (rule.is_null()) rule = Json::object();
    if (set.hold_s) rule["hold_s"] = *set.hold_s;
    if (!set.enabled) rule["enabled"] = false;
    record[id] = std::move(rule);
  }
  return record;
}

Json ThresholdsView(const std::vector<Rule>& rules, const Thresholds& thresholds, Lang lang) {
  Json list = Json::array();
  for (const Rule& rule : rules) {
    auto found = thresholds.find(rule.id);
    const RuleThresholds set = found == thresholds.end() ? RuleThresholds{} : found->second;
    Json conditions = Json::array();
    for (const Condition& condition : rule.conditions) conditions.push_back(ConditionView(condition, set));
    list.push_back({{"rule", rule.id},
                    {"group", rule.group},
                    {"title", rule.title.In(lang)},
                    {"description", rule.description.In(lang)},
                    {"enabled", set.enabled},
                    {"changed", set != RuleThresholds{}},
                    {"conditions", std::move(conditions)}});
  }
  return list;
}

}  // namespace redoubt::alert
