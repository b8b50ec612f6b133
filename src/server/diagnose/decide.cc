#include "server/diagnose/decide.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "server/diagnose/line_head.h"

namespace redoubt::diagnose {
namespace {

constexpr double kIncidentFloor = 1.5;  // weaker support than this is no incident
constexpr double kChainFloor = 2.0;     // an effect has to show by itself
constexpr double kCauseFloor = 2.8;     // a cause that is put before a stronger effect
constexpr double kIndependent = 3.6;
constexpr size_t kMaxFurther = 3;

constexpr std::array<std::string_view, 5> kSeverities = {"none", "low", "medium", "high", "critical"};

int Rank(std::string_view severity) {
  return static_cast<int>(std::find(kSeverities.begin(), kSeverities.end(), severity) - kSeverities.begin());
}

std::string_view SeverityOfImpact(std::string_view impact) {
  if (impact == "writes-refused" || impact == "server-down" || impact == "data-lost" || impact == "intrusion")
    return "critical";
  if (impact == "degraded") return "medium";
  if (impact == "minor") return "low";
  return "high";
}

bool OnlySays(const Candidate& candidate, std::initializer_list<std::string_view> impacts) {
  return !candidate.hits.empty() &&
         std::all_of(candidate.hits.begin(), candidate.hits.end(), [&](const SignalHit& hit) {
           return std::find(impacts.begin(), impacts.end(), hit.rule->signal->impact) != impacts.end();
         });
}

// No damage yet. "near" leaves the severity to the class: a full memory is critical before the first refused write.
bool NotYet(const Candidate& candidate) { return OnlySays(candidate, {"imminent", "near"}); }

// The damage that was seen; the class only where nothing speaks about damage.
std::string Severity(const Rules& rules, const Candidate& primary, const std::vector<const Candidate*>& chain) {
  std::string severity = rules.modes()[primary.mode].mode->severity;
  int seen = -1;
  for (const Candidate* candidate : chain) {
    for (const SignalHit& hit : candidate->hits) {
      const std::string& impact = hit.rule->signal->impact;
      if (!impact.empty() && impact != "near") seen = std::max(seen, Rank(SeverityOfImpact(impact)));
    }
  }
  if (seen == Rank("low") || seen > Rank(severity)) return std::string(kSeverities[static_cast<size_t>(seen)]);
  // The class says that all writes stop, the figures only that it is near: a warning, not yet the damage.
  return OnlySays(primary, {"imminent"}) && Rank(severity) > Rank("high") ? "high" : severity;
}

// "yes" is what was seen or what a class always means; a class that leaves it open is decided by signs of refusal.
void Raise(std::string_view sign, Impact& impact) {
  if (sign == "writes-refused") impact.writes = "yes";
  if (sign == "reads-refused") impact.reads = "yes";
  if (sign == "refused" || sign == "some-refused") {
    if (impact.writes == "unknown") impact.writes = "yes";
    if (impact.reads == "unknown") impact.reads = "yes";
  }
  if (sign == "data-lost" || sign == "durability-lost") impact.data_at_risk = "yes";
}

// Of the incident with everything that followed from it: a full disk stops writes as soon as MISCONF is seen.
Impact ImpactOf(const Rules& rules, const Candidate& primary, const std::vector<const Candidate*>& chain) {
  const kb::FailureMode& mode = *rules.modes()[primary.mode].mode;
  Impact out{mode.writes, mode.reads, mode.data_at_risk};
  if (NotYet(primary)) {
    for (std::string* answer : {&out.writes, &out.reads}) *answer = "no";
  }
  for (const Candidate* candidate : chain) {
    for (const SignalHit& hit : candidate->hits) Raise(hit.rule->signal->impact, out);
    if (candidate == &primary || NotYet(*candidate)) continue;
    const kb::FailureMode& effect = *rules.modes()[candidate->mode].mode;
    if (effect.writes == "yes") out.writes = "yes";
    if (effect.reads == "yes") out.reads = "yes";
    if (effect.data_at_risk == "yes") out.data_at_risk = "yes";
  }
  return out;
}

bool SharesEvidence(const Candidate& a, const Candidate& b) {
  std::set<uint32_t> lines;
  for (const SignalHit& hit : a.hits) {
    for (const PatternHit& pattern : hit.patterns) lines.insert(pattern.first_line);
  }
  for (const SignalHit& hit : b.hits) {
    for (const PatternHit& pattern : hit.patterns) {
      if (lines.contains(pattern.first_line)) return true;
    }
  }
  return false;
}

// The best, or a cause of the best that has evidence enough of its own.
const Candidate* Primary(const Rules& rules, const Scores& scores) {
  const Candidate* best = &scores.incidents.front();
  for (int hops = 0; hops < 3; ++hops) {
    const Candidate* cause = nullptr;
    for (const Candidate& candidate : scores.incidents) {
      if (&candidate == best || candidate.raw < kCauseFloor || candidate.raw < 0.6 * best->raw) continue;
      // A risk that was merely noted ("THP is on") does not take the place of the damage it led to.
      if (Rank(rules.modes()[candidate.mode].mode->severity) < Rank("medium")) continue;
      const auto& leads = rules.modes()[candidate.mode].leads_to;
      if (std::find(leads.begin(), leads.end(), best->mode) == leads.end()) continue;
      if (cause == nullptr || candidate.score > cause->score) cause = &candidate;
    }
    if (cause == nullptr) break;
    best = cause;
  }
  return best;
}

std::vector<const Candidate*> ChainOf(const Rules& rules, const Scores& scores, const Candidate* primary) {
  std::vector<const Candidate*> chain = {primary};
  for (const Candidate& candidate : scores.incidents) {
    if (&candidate == primary || candidate.raw < kChainFloor || chain.size() >= 5) continue;
    if (rules.Leads(primary->mode, candidate.mode) && !rules.Leads(candidate.mode, primary->mode))
      chain.push_back(&candidate);
  }
  std::stable_sort(chain.begin() + 1, chain.end(), [&](const Candidate* a, const Candidate* b) {
    return rules.Leads(a->mode, b->mode) && !rules.Leads(b->mode, a->mode);
  });
  return chain;
}

struct Times {
  std::string_view first, last;
  uint32_t last_line = 0;
};

void Widen(Times& times, std::string_view at) {
  if (at.empty()) return;
  if (times.first.empty() || TimeOrder(at) < TimeOrder(times.first)) times.first = at;
  if (times.last.empty() || TimeOrder(at) >= TimeOrder(times.last)) times.last = at;
}

// Recovered: the log itself shows the end after the last sign of the fault, and nobody says that it goes on.
void SetState(const Rules& rules, const Recognised& text, const Facts& facts, const Scores& scores,
              Decision& decision) {
  Times fault;
  bool observed_now = false;
  for (const Candidate* candidate : decision.chain) {
    for (const SignalHit& hit : candidate->hits) {
      observed_now |= hit.rule->condition.has_value();
      for (const PatternHit& pattern : hit.patterns) {
        Widen(fault, pattern.first_at);
        Widen(fault, pattern.last_at);
        fault.last_line = std::max(fault.last_line, pattern.last_line);
      }
    }
  }
  decision.started_at = IsoTime(fault.first);
  (void)facts;
  if (observed_now) {
    decision.state = "ongoing";
    return;
  }
  for (const Candidate* candidate : decision.chain) {
    for (size_t number : rules.modes()[candidate->mode].recovery) {
      auto it = scores.patterns.find(number);
      if (it == scores.patterns.end() || it->second.last_line <= fault.last_line) continue;
      // Prose around a log tells of a problem that somebody has; a bare log tells how it ended.
      if (!it->second.in_log || text.prose_bytes > 80) continue;
      decision.state = "recovered";
      decision.ended_at = IsoTime(it->second.last_at);
      return;
    }
  }
  uint32_t last = text.lines.empty() ? 0 : text.lines.back().number;
  if (fault.last_line > 0 && text.server_log_lines > 0 && fault.last_line + 5 >= last) decision.state = "ongoing";
}

// The probability that category and entry are right: of all candidates that would say the same, and only as far as
// there is anything to go by.
double Confidence(const Rules& rules, const Scores& scores, const Candidate& primary, bool none) {
  double same = 0;
  const RuleMode& mode = rules.modes()[primary.mode];
  for (const auto* list : {&scores.incidents, &scores.none}) {
    for (const Candidate& candidate : *list) {
      const RuleMode& other = rules.modes()[candidate.mode];
      if (other.mode->category == mode.mode->category && (none || other.entry->id == mode.entry->id))
        same += candidate.probability;
    }
  }
  double strength = 1 - std::exp(-std::max(0.0, primary.score) / 1.5);
  return std::round(std::clamp(same * strength, 0.05, 0.98) * 100) / 100;
}

Decision DecideOne(const Rules& rules, const Recognised& text, const Facts& facts, const Scores& scores,
                   const Candidate* primary) {
  Decision out;
  out.primary = primary;
  out.chain = ChainOf(rules, scores, primary);
  out.severity = Severity(rules, *primary, out.chain);
  out.impact = ImpactOf(rules, *primary, out.chain);
  out.confidence = Confidence(rules, scores, *primary, false);
  SetState(rules, text, facts, scores, out);
  return out;
}

Decision DecideNone(const Rules& rules, const Scores& scores) {
  Decision out;
  out.primary = &scores.none.front();
  out.chain = {out.primary};
  out.severity = "none";
  out.impact = ImpactOf(rules, *out.primary, {});
  out.confidence = Confidence(rules, scores, *out.primary, true);
  return out;
}

}  // namespace

Decisions Decide(const Rules& rules, const Recognised& text, const Facts& facts, const Scores& scores) {
  Decisions out;
  bool incident = !scores.incidents.empty() && scores.incidents.front().score >= kIncidentFloor &&
                  (scores.none.empty() || scores.incidents.front().score > scores.none.front().score);
  if (!incident && !scores.none.empty()) {
    out.main = DecideNone(rules, scores);
    return out;
  }
  if (!incident) return out;
  const Candidate* primary = Primary(rules, scores);
  out.main = DecideOne(rules, text, facts, scores, primary);
  for (const Candidate& candidate : scores.incidents) {
    if (out.further.size() == kMaxFurther || candidate.raw < kIndependent) break;
    const std::string& category = rules.modes()[candidate.mode].mode->category;
    auto linked = [&](const Decision& told) {
      size_t mode = told.primary->mode;
      return mode == candidate.mode || rules.Leads(mode, candidate.mode) || rules.Leads(candidate.mode, mode) ||
             rules.modes()[mode].mode->category == category || SharesEvidence(*told.primary, candidate);
    };
    if (linked(out.main) || std::any_of(out.further.begin(), out.further.end(), linked)) continue;
    out.further.push_back(DecideOne(rules, text, facts, scores, &candidate));
  }
  return out;
}

}  // namespace redoubt::diagnose
