#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/diagnose/facts.h"
#include "server/diagnose/rules.h"

namespace redoubt::diagnose {

// What was seen of one signal.
struct SignalHit {
  const RuleSignal* rule = nullptr;
  std::vector<PatternHit> patterns;           // of a log pattern
  std::vector<kb::Observation> observations;  // of a metric condition
};

// How one failure mode stands after everything was looked at.
struct Candidate {
  size_t mode = 0;         // in Rules::modes()
  double raw = 0;          // prior + signals
  double score = 0;        // raw, plus what it explains of others
  double support = 0;      // the positive part of raw
  double probability = 0;  // among the candidates
  std::vector<SignalHit> hits, against;
  std::vector<std::string> unknown_fields;  // asked for by conditions, not reported
  uint32_t last_line = 0;                   // where it was last seen in the text
  bool in_log = false;                      // seen in a log, not only in sentences
};

struct Scores {
  std::vector<Candidate> incidents;       // best first, only those with support
  std::vector<Candidate> none;            // the ways of being no incident, best first
  std::map<size_t, PatternHit> patterns;  // all hits by pattern number
};

// What stands outside the rules: words that are like an entry (0..1 by slug), and how much there is to go by.
struct Hints {
  std::map<std::string, double, std::less<>> likeness;
  double benign_log = 0;  // evidence for "healthy" from a log or INFO without fault
};

// Adds up the signals: score(mode) = prior + sum over groups of the strongest signal (others of the group count a
// fifth) + contradictions. Candidates that cause others gain a share of what they explain. Probabilities are the
// softmax of the scores over incidents, the ways of being none, and a fixed share for what is not in the catalogue.
Scores ScoreAll(const Rules& rules, const Recognised& text, const Facts& facts);
void Finish(const Rules& rules, const Hints& hints, Scores& scores);

// Log-odds kept for a cause that the catalogue lacks.
inline constexpr double kUnknownCause = 0.8;

}  // namespace redoubt::diagnose
