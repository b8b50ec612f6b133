#pragma once

#include <functional>
#include <optional>

#include "search/index.h"

namespace redoubt::search {

// The distance of a document's own vector; nothing when it has none any more.
using MeasureDocument = std::function<std::optional<double>(const FoundDocument&)>;

// The order of SORTBY by a value; documents without one come last in either direction.
bool SortsBefore(const SearchPlan& plan, const FoundDocument& a, const FoundDocument& b);

// Makes the answer out of `outcome.candidates`, nearest by their codes first: measures those that may be among the k
// nearest, keeps these, sorts them as the plan says and cuts to its LIMIT. Without effect on what is no candidates.
void RankCandidates(const SearchPlan& plan, const MeasureDocument& measure, SearchOutcome& outcome);

}  // namespace redoubt::search
