#pragma once

#include "module/host/context.h"
#include "search/index.h"

namespace redoubt::ft {

// Turns the candidates of a KNN over a graph into its answer, by the vectors in their keys: distances are exact, and a
// document whose vector is gone is left out. Does nothing for any other search. Main thread only.
void MeasureCandidates(host::Context& ctx, const search::SearchPlan& plan, search::SearchOutcome& outcome);

}  // namespace redoubt::ft
