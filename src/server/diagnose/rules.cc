#include "server/diagnose/rules.h"

#include <deque>

namespace redoubt::diagnose {
namespace {

// Gives each different pattern one number.
class PatternList {
 public:
  size_t NumberOf(const std::string& pattern) {
    auto [it, fresh] = numbers_.try_emplace(pattern, list_.size());
    if (fresh) list_.push_back(pattern);
    return it->second;
  }
  const std::vector<std::string>& list() const { return list_; }

 private:
  std::map<std::string, size_t> numbers_;
  std::vector<std::string> list_;
};

}  // namespace

Rules::Rules(std::vector<std::shared_ptr<const kb::Entry>> entries) : entries_(std::move(entries)) {
  for (const auto& entry : entries_) {
    for (const kb::FailureMode& mode : entry->failure_modes) {
      if (by_slug_.contains(mode.slug)) continue;
      by_slug_[mode.slug] = modes_.size();
      modes_.push_back({&mode, entry.get(), {}, {}, {}});
    }
  }
  PatternList patterns;
  for (const auto& entry : entries_) {
    for (const kb::Signal& signal : entry->signals) {
      RuleSignal rule;
      rule.signal = &signal;
      for (const std::string& pattern : signal.patterns) rule.patterns.push_back(patterns.NumberOf(pattern));
      if (!signal.metric.empty()) {
        base::Result<kb::Condition> condition = kb::Condition::Parse(signal.metric);
        if (condition.ok()) rule.condition = std::move(*condition);
      }
      modes_[by_slug_[signal.failure_mode]].signals.push_back(std::move(rule));
    }
  }
  for (RuleMode& mode : modes_) {
    for (const std::string& pattern : mode.mode->recovery) mode.recovery.push_back(patterns.NumberOf(pattern));
    for (const std::string& effect : mode.mode->leads_to) {
      if (auto index = Find(effect)) mode.leads_to.push_back(*index);
    }
  }
  scanner_ = std::make_unique<PatternScanner>(patterns.list());
}

std::optional<size_t> Rules::Find(std::string_view slug) const {
  auto it = by_slug_.find(slug);
  return it == by_slug_.end() ? std::nullopt : std::optional(it->second);
}

bool Rules::Leads(size_t cause, size_t effect) const {
  std::vector<bool> seen(modes_.size(), false);
  std::deque<size_t> queue = {cause};
  seen[cause] = true;
  while (!queue.empty()) {
    size_t at = queue.front();
    queue.pop_front();
    for (size_t next : modes_[at].leads_to) {
      if (next == effect) return true;
      if (!seen[next]) queue.push_back(next);
      seen[next] = true;
    }
  }
  return false;
}

}  // namespace redoubt::diagnose
