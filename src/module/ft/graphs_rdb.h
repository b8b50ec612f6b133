#pragma once

#include <cstdint>

#include "base/log.h"
#include "module/host/rdb.h"
#include "search/live_index.h"

namespace redoubt::ft {

// The graphs of one index in an RDB: docs/design/ft-index.md.

// With the gate of the index closed; also in a forked child.
void WriteGraphs(host::RdbWriter& writer, const search::LiveIndex& index);

// Graphs of files since the start of the server.
struct GraphCounts {
  uint64_t loaded = 0;
  uint64_t refused = 0;
};

// Gives `index` what was written, before its keys come; null: reads over it. A graph that is damaged or does not fit is
// dropped with a line in the log, and that field is indexed from the keys. The error is that of a file that cannot be
// read on.
base::Status ReadGraphs(host::RdbReader& reader, search::LiveIndex* index, base::Logger& logger, GraphCounts& counts);

}  // namespace redoubt::ft
