#pragma once

#include <vector>

#include "search/index.h"

namespace redoubt::search {

// What each shard is to return so that the answers can be merged: LIMIT applies to all of them together.
void MakeShardPlan(SearchPlan& plan);

// One answer to `plan` out of those of several shards to its shard plan: in the plan's order, cut to its LIMIT. The
// total is that of all of them, for a KNN at most k.
SearchOutcome MergeOutcomes(const SearchPlan& plan, std::vector<SearchOutcome> shards);

}  // namespace redoubt::search
