#pragma once

#include <string>
#include <vector>

#include "server/diagnose/analysis.h"
#include "server/diagnose/guard.h"
#include "server/diagnose/scoring.h"

namespace redoubt::diagnose {

// What the texts of one analysis are made from.
struct ComposeInput {
  const Rules& rules;
  const Recognised& text;
  const Facts& facts;
  const Scores& scores;
  const Guard& guard;
  GuardContext guard_context;
  base::Lang lang = base::Lang::kKo;
  std::string instance_name;
};

// yes|no|unknown each.
struct Impact {
  std::string writes = "unknown", reads = "unknown", data_at_risk = "unknown";
};

// What was decided about one incident before it is put into words.
struct Decision {
  const Candidate* primary = nullptr;   // null never; of category none when there is no incident
  std::vector<const Candidate*> chain;  // cause first, primary among them
  std::string severity;
  Impact impact;
  std::string state = "unknown";
  std::string started_at, ended_at;
  double confidence = 0;
};

// Fills everything of a finding but the knowledge list. Every number and quotation comes from its evidence.
Finding Compose(const ComposeInput& input, const Decision& decision);

// The commands that the guard lets through, as it changes them: preconditions in the same line, settings of managed
// servers named for their console.
std::vector<Command> OfferedCommands(const ComposeInput& input, const std::vector<const Candidate*>& chain);

}  // namespace redoubt::diagnose
