#pragma once

#include <cstddef>
#include <vector>

#include "search/aggregate.h"
#include "search/aggregate_plan.h"

namespace redoubt::search {

// An aggregation over shards is two: what each shard does with its own documents, and what the node that was asked does
// with their rows. Shards run the steps that look at one row at a time, then the next one for their part: a GROUPBY as
// far as it can be merged, a SORTBY and a LIMIT up to the rows that may be among the first. Fields that later steps
// need are read by the shards. With a KNN they only read fields: which documents are among the k nearest is known after
// merging.
//
// Both are made of the same plan on either side, from the same words and definition. Unimplemented where a LOAD would
// have to come before an APPLY that it overwrites.
Status MakeShardAggregate(AggregatePlan& plan);
Status MakeRestOfAggregate(AggregatePlan& plan);

// Of the plan of a shard: the names of the columns that its rows have at the end.
const std::vector<std::string>& ShardColumns(const AggregatePlan& shard);

// Keeps the k nearest of the rows that shards found for a KNN, nearest first; without effect on another search. `rest`
// is the plan of MakeRestOfAggregate(). Returns the total, of `total` that the shards found.
size_t KeepNearest(const AggregatePlan& rest, size_t total, std::vector<AggregateRow>& rows);

}  // namespace redoubt::search
