#pragma once

#include <span>
#include <string_view>

#include "search/aggregate_plan.h"

namespace redoubt::search {

struct AggregateDefaults {
  int64_t timeout_ms = 500;
  int dialect = 1;
  size_t max_rows = SIZE_MAX;  // of a LIMIT
  WordParts parts;
};

// `args` are those of FT.AGGREGATE after the index: the query, options and steps in the order in which they run. Error
// texts are those that clients of RediSearch 2.10 know.
Result<AggregatePlan> PlanAggregate(std::span<const std::string_view> args, const IndexDefinition& definition,
                                    const AggregateDefaults& defaults = {});

}  // namespace redoubt::search
