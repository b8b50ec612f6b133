#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resp/reply.h"
#include "server/monitor/sample.h"

namespace redoubt::monitor {

// Typed readings of servers' answers. What does not look as it should is left out, never guessed.

std::vector<SlowlogEntry> ReadSlowlog(const resp::Reply& reply);       // SLOWLOG GET n
std::vector<ClientRow> ReadClientList(std::string_view text);          // CLIENT LIST
void ReadConfigPairs(const resp::Reply& reply, ConfigValues& values);  // CONFIG GET name
std::vector<std::pair<std::string, std::string>> ReadLatencyLatest(const resp::Reply& reply);

}  // namespace redoubt::monitor
