#include "server/alert/rule.h"

#include <fmt/core.h>

#include <cmath>
#include <set>

#include "base/json.h"

namespace redoubt::alert {

using base::InvalidArgument;
using base::Json;
using base::Result;
using base::Status;

namespace {

const std::set<std::string> kFormats = {"percent", "count", "seconds", "ms", "ratio", "bytes", "per_second", "state"};
const std::set<std::string> kRuleFields = {"id", "group", "title", "description", "resolve_hold_s", "conditions"};
const std::set<std::string> kConditionFields = {"name",       "severity", "metric",    "format", "value",  "when",
                                                "clear_when", "operator", "threshold", "clear",  "hold_s", "message"};

Status CheckFields(const Json& object, const std::set<std::string>& known) {
  if (!object.is_object()) return InvalidArgument("an object was expected");
  for (const auto& item : object.items()) {
    if (!known.contains(item.key())) return InvalidArgument(fmt::format("unknown field '{}'", item.key()));
  }
  return base::OkStatus();
}

Result<std::string> Text(const Json& object, const char* name, const char* fallback = nullptr) {
  auto found = object.find(name);
  if (found == object.end()) {
    if (fallback == nullptr) return InvalidArgument(fmt::format("'{}' is missing", name));
    return std::string(fallback);
  }
  if (!found->is_string()) return InvalidArgument(fmt::format("'{}' must be a text", name));
  return found->get<std::string>();
}

Result<double> Number(const Json& object, const char* name, double fallback) {
  auto found = object.find(name);
  if (found == object.end()) return fallback;
  if (!found->is_number()) return InvalidArgument(fmt::format("'{}' must be a number", name));
  return found->get<double>();
}

Result<base::LocalText> BothLanguages(const Json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || !found->is_object()) {
    return InvalidArgument(fmt::format("'{}' must be {{\"ko\": …, \"en\": …}}", name));
  }
  base::LocalText text;
  ASSIGN_OR_RETURN(text.ko, Text(*found, "ko"));
  ASSIGN_OR_RETURN(text.en, Text(*found, "en"));
  return text;
}

Result<Expression> Formula(const Json& object, const char* name, const char* fallback) {
  ASSIGN_OR_RETURN(std::string text, Text(object, name, fallback));
  return Expression::Parse(text);
}

Result<Condition> LoadCondition(const Json& object) {
  RETURN_IF_ERROR(CheckFields(object, kConditionFields));
  Condition condition;
  ASSIGN_OR_RETURN(std::string severity, Text(object, "severity"));
  if (severity != "warning" && severity != "critical") {
    return InvalidArgument("'severity' must be warning or critical");
  }
  condition.severity = severity == "critical" ? Severity::kCritical : Severity::kWarning;
  ASSIGN_OR_RETURN(condition.name, Text(object, "name", severity.c_str()));
  ASSIGN_OR_RETURN(condition.metric, Text(object, "metric"));
  ASSIGN_OR_RETURN(condition.format, Text(object, "format", "count"));
  if (!kFormats.contains(condition.format)) return InvalidArgument("'format' is none of the known ones");
  ASSIGN_OR_RETURN(condition.value, Formula(object, "value", nullptr));
  ASSIGN_OR_RETURN(condition.when, Formula(object, "when", "1"));
  ASSIGN_OR_RETURN(condition.clear_when, Formula(object, "clear_when", "0"));
  ASSIGN_OR_RETURN(std::string op, Text(object, "operator", ">="));
  if (op != ">=" && op != "<") return InvalidArgument("'operator' must be >= or <");
  condition.below = op == "<";
  ASSIGN_OR_RETURN(condition.threshold, Number(object, "threshold", 1));
  ASSIGN_OR_RETURN(condition.clear, Number(object, "clear", condition.threshold));
  bool easier = condition.below ? condition.clear < condition.threshold : condition.clear > condition.threshold;
  if (easier) return InvalidArgument("'clear' must lie on the calm side of 'threshold'");
  ASSIGN_OR_RETURN(double hold_s, Number(object, "hold_s", 0));
  if (hold_s < 0 || hold_s > 86'400) return InvalidArgument("'hold_s' must be from 0 to 86400");
  condition.hold_s = static_cast<int>(hold_s);
  ASSIGN_OR_RETURN(condition.message, BothLanguages(object, "message"));
  return condition;
}

Result<Rule> LoadRule(const Json& object) {
  RETURN_IF_ERROR(CheckFields(object, kRuleFields));
  Rule rule;
  ASSIGN_OR_RETURN(rule.id, Text(object, "id"));
  ASSIGN_OR_RETURN(rule.group, Text(object, "group", rule.id.c_str()));
  ASSIGN_OR_RETURN(rule.title, BothLanguages(object, "title"));
  if (object.contains("description")) {
    ASSIGN_OR_RETURN(rule.description, BothLanguages(object, "description"));
  }
  ASSIGN_OR_RETURN(double resolve_hold_s, Number(object, "resolve_hold_s", 10));
  if (resolve_hold_s < 0 || resolve_hold_s > 86'400) return InvalidArgument("'resolve_hold_s' must be from 0 to 86400");
  rule.resolve_hold_s = static_cast<int>(resolve_hold_s);
  auto conditions = object.find("conditions");
  if (conditions == object.end() || !conditions->is_array() || conditions->empty()) {
    return InvalidArgument("'conditions' must be a list with at least one");
  }
  std::set<std::string> names;
  for (const Json& entry : *conditions) {
    Result<Condition> condition = LoadCondition(entry);
    if (!condition.ok()) {
      return InvalidArgument(fmt::format("condition {}: {}", rule.conditions.size() + 1, condition.status().message()));
    }
    if (!names.insert(condition->name).second) {
      return InvalidArgument(fmt::format("two conditions are named '{}'", condition->name));
    }
    rule.conditions.push_back(std::move(*condition));
  }
  return rule;
}

std::string Grouped(double value) {
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return (value < 0 ? "-" : "") + digits;
}

std::string Bytes(double value) {
  static constexpr const char* kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  size_t unit = 0;
  while (std::abs(value) >= 1024 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, kUnits[unit]);
}

// 3 -> "3", 3.25 -> "3.2"
std::string Short(double value) {
  return value == std::round(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value);
}

}  // namespace

Result<std::vector<Rule>> LoadRules(const Json& document) {
  auto list = document.find("rules");
  if (!document.is_object() || list == document.end() || !list->is_array()) {
    return InvalidArgument("alert rules: {\"rules\": [ … ]} was expected");
  }
  const Json groups = document.value("groups", Json::object());
  std::vector<Rule> rules;
  std::set<std::string> ids;
  for (const Json& entry : *list) {
    Result<Rule> rule = LoadRule(entry);
    if (!rule.ok()) {
      Result<std::string> id = entry.is_object() ? Text(entry, "id", "?") : Result<std::string>(std::string("?"));
      return InvalidArgument(fmt::format("alert rule '{}': {}", id.ok() ? *id : "?", rule.status().message()));
    }
    rule->group_title = {rule->group, rule->group};
    if (groups.contains(rule->group)) {
      ASSIGN_OR_RETURN(rule->group_title, BothLanguages(groups, rule->group.c_str()));
    }
    if (!ids.insert(rule->id).second) return InvalidArgument(fmt::format("two alert rules have the id '{}'", rule->id));
    rules.push_back(std::move(*rule));
  }
  return rules;
}

std::string FormatValue(double value, const std::string& format, base::Lang lang) {
  bool korean = lang == base::Lang::kKo;
  if (format == "percent") return Short(value) + "%";
  if (format == "seconds") return korean ? Short(value) + "초" : Short(value) + " s";
  if (format == "ms") return Short(value) + " ms";
  if (format == "ratio") return fmt::format("{:.2f}", value);
  if (format == "bytes") return Bytes(value);
  if (format == "per_second") return korean ? fmt::format("초당 {}", Short(value)) : Short(value) + "/s";
  return Grouped(value);
}

}  // namespace redoubt::alert
