#pragma once

#include "server/diagnose/recogniser.h"

namespace redoubt::diagnose {

// Fills kind, role, body and at from `line.whole`: takes off what docker, kubectl and syslog put before a line, then
// the head of a Redis, Valkey or Sentinel log line.
void ReadLineHead(Line& line);

// Milliseconds since 1970 as if the time were UTC, for ordering; -1 when `at` is no time. A time without a year counts
// as of 2000.
int64_t TimeOrder(std::string_view at);

// "22 Jan 2019 18:40:10.098" -> "2019-01-22T18:40:10.098"; ISO times as they are. The zone stays out: the log has none.
std::string IsoTime(std::string_view at);

}  // namespace redoubt::diagnose
