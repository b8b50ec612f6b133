#pragma once

#include "server/diagnose/recogniser.h"

namespace redoubt::diagnose {

// Reads the tables that redis-cli prints: SLOWLOG GET, LATENCY LATEST, CONFIG GET (numbered replies), CLIENT LIST and
// CLUSTER NODES. Marks the lines that belong to one; keeps a bounded number of rows.
void ReadTables(Recognised& out);

// "id=3 addr=127.0.0.1:5000 ... cmd=get" as columns; empty when it is no such row.
monitor::ClientRow ParseClientRow(std::string_view line);

}  // namespace redoubt::diagnose
