#include "server/alert/silence.h"

#include <algorithm>

#include "base/json.h"

namespace redoubt::alert {

using base::Json;
using base::Result;

Json ToRecord(const Silence& silence) {
  return {{"id", silence.id},
          {"instance", silence.instance},
          {"rule", silence.rule},
          {"created_at_ms", silence.created_at_ms},
          {"until_ms", silence.until_ms},
          {"comment", silence.comment}};
}

Result<Silence> FromSilenceRecord(const Json& record) {
  Silence silence;
  try {
    silence.id = record.at("id").get<std::string>();
    silence.instance = record.at("instance").get<std::string>();
    silence.rule = record.at("rule").get<std::string>();
    silence.created_at_ms = record.at("created_at_ms").get<int64_t>();
    silence.until_ms = record.at("until_ms").get<int64_t>();
    silence.comment = record.at("comment").get<std::string>();
  } catch (const Json::exception& error) {
    return base::DataLoss(std::string("stored silence is damaged: ") + error.what());
  }
  return silence;
}

template <typename Condition>
std::vector<std::string> SilenceList::Take(Condition condition) {
  std::vector<std::string> taken;
  std::erase_if(silences_, [&](const Silence& silence) {
    if (!condition(silence)) return false;
    taken.push_back(silence.id);
    return true;
  });
  return taken;
}

bool SilenceList::Has(const std::string& id) const {
  return std::any_of(silences_.begin(), silences_.end(), [&](const Silence& silence) { return silence.id == id; });
}

void SilenceList::Remove(const std::string& id) {
  Take([&](const Silence& silence) { return silence.id == id; });
}

std::vector<std::string> SilenceList::TakeExpired(int64_t now_ms) {
  return Take([&](const Silence& silence) { return silence.until_ms <= now_ms; });
}

std::vector<std::string> SilenceList::TakeOf(const std::string& instance) {
  return Take([&](const Silence& silence) { return silence.instance == instance; });
}

std::optional<int64_t> SilenceList::Until(const std::string& instance, const std::string& rule,
                                          const std::string& group, int64_t now_ms) const {
  std::optional<int64_t> until_ms;
  for (const Silence& silence : silences_) {
    bool here = silence.instance.empty() || silence.instance == instance;
    bool this_rule = silence.rule.empty() || silence.rule == rule || silence.rule == group;
    if (!here || !this_rule || silence.until_ms <= now_ms) continue;
    until_ms = std::max(until_ms.value_or(0), silence.until_ms);
  }
  return until_ms;
}

std::vector<Silence> SilenceList::Active(int64_t now_ms) const {
  std::vector<Silence> active;
  for (const Silence& silence : silences_) {
    if (silence.until_ms > now_ms) active.push_back(silence);
  }
  std::stable_sort(active.begin(), active.end(),
                   [](const Silence& a, const Silence& b) { return a.until_ms < b.until_ms; });
  return active;
}

}  // namespace redoubt::alert
