#pragma once

#include <vector>

#include "server/diagnose/compose.h"

namespace redoubt::diagnose {

// From scores to what is said: the incident (or none), what it caused, how grave it is, whether it goes on, and the
// further incidents that have nothing to do with it.
struct Decisions {
  Decision main;
  std::vector<Decision> further;  // at most 3
};

Decisions Decide(const Rules& rules, const Recognised& text, const Facts& facts, const Scores& scores);

}  // namespace redoubt::diagnose
