#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "module/host/context.h"
#include "search/aggregate.h"

namespace redoubt::ft {

// The rows that an aggregation made, in part shown already when a cursor stands in them.
struct AggregateResult {
  std::vector<std::string> names;  // of the columns
  std::vector<search::AggregateRow> rows;
  size_t total = 0;
  bool timed_out = false;
  size_t next = 0;   // row that is shown next
  size_t bytes = 0;  // of the rows in memory, where a cursor was asked for

  bool done() const { return next == rows.size(); }
};

// Shows the next `count` rows, or all that are left: as FT.AGGREGATE does. Main thread only.
void ReplyRows(host::Context& ctx, AggregateResult& result, size_t count);

}  // namespace redoubt::ft
