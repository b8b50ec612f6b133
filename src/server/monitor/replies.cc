#include "server/monitor/replies.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace redoubt::monitor {
namespace {

constexpr size_t kMaxClientRows = 20'000;

// Whatever a server claims its time to be.
int64_t MillisOfSeconds(int64_t seconds) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 1000;
  return std::clamp(seconds, -kMost, kMost) * 1000;
}

// Ids are small counts; one that is not must not make sums of ids overflow.
int64_t IdWithinBounds(int64_t id) { return std::clamp(id, int64_t{0}, int64_t{1} << 53); }

ClientRow ReadClientRow(std::string_view line) {
  ClientRow row;
  while (!line.empty()) {
    std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    row.emplace(word.substr(0, equals), word.substr(equals + 1));
  }
  return row;
}

}  // namespace

std::vector<SlowlogEntry> ReadSlowlog(const resp::Reply& reply) {
  std::vector<SlowlogEntry> entries;
  for (const resp::Reply& row : reply.elements()) {
    const std::vector<resp::Reply>& parts = row.elements();
    if (parts.size() < 4) continue;
    SlowlogEntry entry;
    entry.id = IdWithinBounds(parts[0].integer());
    entry.at_ms = MillisOfSeconds(parts[1].integer());
    entry.duration_us = parts[2].integer();
    for (const resp::Reply& argument : parts[3].elements()) entry.args.push_back(argument.text());
    if (parts.size() > 4) entry.client_addr = parts[4].text();
    if (parts.size() > 5) entry.client_name = parts[5].text();
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<ClientRow> ReadClientList(std::string_view text) {
  std::vector<ClientRow> rows;
  while (!text.empty() && rows.size() < kMaxClientRows) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    ClientRow row = ReadClientRow(line);
    if (!row.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

void ReadConfigPairs(const resp::Reply& reply, ConfigValues& values) {
  const std::vector<resp::Reply>& parts = reply.elements();
  for (size_t i = 0; i + 1 < parts.size(); i += 2) values[parts[i].text()] = parts[i + 1].text();
}

std::vector<std::pair<std::string, std::string>> ReadLatencyLatest(const resp::Reply& reply) {
  std::vector<std::pair<std::string, std::string>> events;
  for (const resp::Reply& row : reply.elements()) {
    const std::vector<resp::Reply>& parts = row.elements();
    if (parts.size() < 4) continue;
    events.emplace_back(parts[0].text(), fmt::format("latest_ms={},max_ms={},at={}", parts[2].integer(),
                                                     parts[3].integer(), parts[1].integer()));
  }
  return events;
}

}  // namespace redoubt::monitor
