#include "server/diagnose/evidence.h"

#include <algorithm>
#include <set>

#include "server/diagnose/line_head.h"
#include "server/diagnose/redact.h"
#include "text/utf8.h"

namespace redoubt::diagnose {
namespace {

constexpr size_t kQuoteBytes = 300;

Evidence FromLog(const PatternHit& hit, const std::string& slug) {
  Evidence out;
  out.source = "log";
  out.text = std::string(text::TruncateUtf8(hit.quote, kQuoteBytes));
  out.line = hit.first_line;
  out.at = IsoTime(hit.first_at);
  out.supports = slug;
  out.count = hit.count;
  return out;
}

Evidence FromField(const ComposeInput& input, const kb::Observation& seen, const std::string& slug) {
  Evidence out;
  bool setting = seen.field.starts_with("config.");
  out.field = setting ? seen.field.substr(7) : seen.field;
  bool topology = seen.field.starts_with("cluster_nodes") || seen.field.starts_with("cluster_slots_open") ||
                  seen.field.starts_with("slave_");
  out.source = setting ? "config" : topology ? "topology" : "metric";
  out.value = RedactValue(out.field, seen.value);
  out.threshold = seen.threshold;
  if (auto line = input.facts.LineOf(seen.field)) out.line = *line;
  out.supports = slug;
  return out;
}

}  // namespace

std::vector<Evidence> CollectEvidence(const ComposeInput& input, const std::vector<const Candidate*>& candidates,
                                      size_t limit) {
  struct Weighted {
    Evidence evidence;
    double weight;
  };
  std::vector<Weighted> all;
  std::set<std::string> seen;
  for (const Candidate* candidate : candidates) {
    const std::string& slug = input.rules.modes()[candidate->mode].mode->slug;
    for (const SignalHit& hit : candidate->hits) {
      double weight = hit.rule->signal->weight;
      for (const PatternHit& pattern : hit.patterns) {
        Evidence evidence = FromLog(pattern, slug);
        if (!seen.insert(std::to_string(*evidence.line) + evidence.text).second) continue;
        all.push_back({std::move(evidence), weight});
      }
      for (const kb::Observation& observation : hit.observations) {
        Evidence evidence = FromField(input, observation, slug);
        if (!seen.insert(evidence.field + "=" + evidence.value).second) continue;
        all.push_back({std::move(evidence), weight});
      }
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const Weighted& a, const Weighted& b) { return a.weight > b.weight; });
  if (all.size() > limit) all.resize(limit);
  std::vector<Evidence> out;
  for (Weighted& item : all) {
    item.evidence.n = static_cast<int>(out.size()) + 1;
    out.push_back(std::move(item.evidence));
  }
  return out;
}

}  // namespace redoubt::diagnose
