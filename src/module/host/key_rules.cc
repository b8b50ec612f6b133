#include "module/host/key_rules.h"

#include <algorithm>

namespace redoubt::host {
namespace {

// The pattern of a rule that lets its keys be read, "%RW~" being shown as "~"; empty: it does not.
std::string_view ReadPattern(std::string_view rule) {
  if (rule.starts_with('~')) return rule.substr(1);
  const size_t tilde = rule.find('~');
  if (!rule.starts_with('%') || tilde == std::string_view::npos) return {};
  return rule.substr(0, tilde).find('R') == std::string_view::npos ? std::string_view() : rule.substr(tilde + 1);
}

bool PatternCoversPrefix(std::string_view pattern, std::string_view prefix) {
  const size_t star = pattern.find_first_of("*?[\\");
  if (star == std::string_view::npos) return false;
  return pattern.substr(star) == "*" && prefix.starts_with(pattern.substr(0, star));
}

}  // namespace

bool RulesCoverPrefix(std::string_view rules, std::string_view prefix) {
  while (!rules.empty()) {
    const size_t end = std::min(rules.find(' '), rules.size());
    if (PatternCoversPrefix(ReadPattern(rules.substr(0, end)), prefix)) return true;
    rules.remove_prefix(std::min(end + 1, rules.size()));
  }
  return false;
}

}  // namespace redoubt::host
