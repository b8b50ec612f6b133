#include "server/diagnose/scoring.h"

#include <algorithm>
#include <cmath>

namespace redoubt::diagnose {
namespace {

constexpr double kRestOfGroup = 0.2;  // what a second sign of the same thing is worth
constexpr double kRestLimit = 1.0;
constexpr double kExplains = 0.3;  // share of an effect's score that its cause gains
constexpr double kExplainLimit = 4.0;

struct GroupSum {
  double best = 0, all = 0;
  double Value() const { return best + std::min(kRestLimit, kRestOfGroup * (all - best)); }
};

bool Observed(const RuleSignal& rule, const Facts& facts, const std::map<size_t, PatternHit>& patterns,
              Candidate& candidate, SignalHit& hit) {
  hit.rule = &rule;
  if (rule.condition) {
    kb::Condition::Outcome outcome = rule.condition->Evaluate(facts);
    if (outcome.truth == kb::Condition::Truth::kUnknown) {
      for (std::string& field : outcome.missing) candidate.unknown_fields.push_back(std::move(field));
    }
    hit.observations = std::move(outcome.seen);
    return outcome.truth == kb::Condition::Truth::kTrue;
  }
  for (size_t number : rule.patterns) {
    if (auto it = patterns.find(number); it != patterns.end()) hit.patterns.push_back(it->second);
  }
  return !hit.patterns.empty();
}

Candidate ScoreOne(size_t index, const RuleMode& mode, const Facts& facts,
                   const std::map<size_t, PatternHit>& patterns) {
  Candidate out;
  out.mode = index;
  std::map<std::string_view, GroupSum> groups;
  double against = 0;
  for (const RuleSignal& rule : mode.signals) {
    SignalHit hit;
    if (!Observed(rule, facts, patterns, out, hit)) continue;
    double weight = rule.signal->weight;
    for (const PatternHit& pattern : hit.patterns) {
      out.in_log |= pattern.in_log;
      if (weight > 0) out.last_line = std::max(out.last_line, pattern.last_line);
    }
    if (weight <= 0) {
      against += weight;
      out.against.push_back(std::move(hit));
      continue;
    }
    GroupSum& group = groups[rule.signal->group];
    group.best = std::max(group.best, weight);
    group.all += weight;
    out.hits.push_back(std::move(hit));
  }
  for (const auto& [name, group] : groups) out.support += group.Value();
  std::stable_sort(out.hits.begin(), out.hits.end(), [](const SignalHit& a, const SignalHit& b) {
    return a.rule->signal->weight > b.rule->signal->weight;
  });
  out.raw = out.score = mode.mode->prior + out.support + against;
  return out;
}

void SortByScore(std::vector<Candidate>& list) {
  std::stable_sort(list.begin(), list.end(), [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
}

// A cause with evidence of its own gains from the effects that are seen too.
void ShareExplanations(const Rules& rules, std::vector<Candidate>& incidents) {
  std::vector<double> gain(incidents.size(), 0);
  for (size_t i = 0; i < incidents.size(); ++i) {
    if (incidents[i].raw < 2.0) continue;
    for (const Candidate& effect : incidents) {
      if (effect.mode == incidents[i].mode || effect.raw < 1.5) continue;
      const auto& leads = rules.modes()[incidents[i].mode].leads_to;
      if (std::find(leads.begin(), leads.end(), effect.mode) == leads.end()) continue;
      gain[i] = std::max(gain[i], kExplains * std::min(kExplainLimit, effect.raw));
    }
  }
  for (size_t i = 0; i < incidents.size(); ++i) incidents[i].score += gain[i];
}

}  // namespace

Scores ScoreAll(const Rules& rules, const Recognised& text, const Facts& facts) {
  Scores out;
  for (const PatternHit& hit : rules.scanner().Scan(text)) out.patterns.emplace(hit.pattern, hit);
  for (size_t i = 0; i < rules.modes().size(); ++i) {
    Candidate candidate = ScoreOne(i, rules.modes()[i], facts, out.patterns);
    if (rules.modes()[i].mode->category == "none") {
      out.none.push_back(std::move(candidate));
    } else if (!candidate.hits.empty()) {
      out.incidents.push_back(std::move(candidate));
    }
  }
  ShareExplanations(rules, out.incidents);
  SortByScore(out.incidents);
  SortByScore(out.none);
  return out;
}

void Finish(const Rules& rules, const Hints& hints, Scores& scores) {
  for (const auto& [slug, likeness] : hints.likeness) {
    auto index = rules.Find(slug);
    if (!index) continue;
    auto it = std::find_if(scores.incidents.begin(), scores.incidents.end(),
                           [&](const Candidate& candidate) { return candidate.mode == *index; });
    if (it == scores.incidents.end()) {
      Candidate fresh;
      fresh.mode = *index;
      it = scores.incidents.insert(scores.incidents.end(), std::move(fresh));
    }
    it->score += likeness;
  }
  for (Candidate& none : scores.none) {
    if (rules.modes()[none.mode].mode->slug == "healthy") none.score += hints.benign_log;
  }
  SortByScore(scores.incidents);
  SortByScore(scores.none);
  double sum = std::exp(kUnknownCause);
  for (const auto* list : {&scores.incidents, &scores.none}) {
    for (const Candidate& candidate : *list) sum += std::exp(candidate.score);
  }
  for (auto* list : {&scores.incidents, &scores.none}) {
    for (Candidate& candidate : *list) candidate.probability = std::exp(candidate.score) / sum;
  }
}

}  // namespace redoubt::diagnose
