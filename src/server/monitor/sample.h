#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "server/monitor/capability.h"
#include "server/monitor/info.h"

namespace redoubt::monitor {

struct SlowlogEntry {
  int64_t id = 0;
  int64_t at_ms = 0;
  int64_t duration_us = 0;
  std::vector<std::string> args;  // as the server shortened them
  std::string client_addr;
  std::string client_name;
};

// One line of CLIENT LIST: "addr" -> "127.0.0.1:5000", "omem" -> "0", ...
using ClientRow = std::map<std::string, std::string>;
using ConfigValues = std::map<std::string, std::string>;

// Why a poll got no INFO.
enum class ProbeFailure {
  kNone,
  kRefused,
  kTimeout,
  kUnknownHost,
  kAuth,        // wrong user or password, or one is needed
  kPermission,  // our user may not call INFO
  kTls,
  kNotRedis,
  kSentinel,    // a Sentinel answers at this address
  kMaxClients,  // the server refused one more connection
  kBusy,        // a script or module holds the server (BUSY)
  kClosed,      // the connection broke
  kOther,
};
std::string_view ProbeFailureName(ProbeFailure failure);  // "refused", "timeout", ...

// One poll of one instance. Fields that the server did not report are absent from `info`, never zero.
struct Sample {
  std::string instance;
  int64_t at_ms = 0;       // wall clock, when the poll began
  int64_t steady_us = 0;   // steady clock at the same moment, for rates
  bool reachable = false;  // INFO was answered
  ProbeFailure failure = ProbeFailure::kNone;
  std::string error;          // in words, empty when reachable
  int64_t ping_us = 0;        // round trip of our PING; 0 when unreachable
  int interval_ms = 0;        // the poll interval in force
  int own_connections = 0;    // ours among connected_clients
  bool restarted = false;     // run_id differs from the sample before, or the uptime went back
  bool role_changed = false;  // against the sample before
  bool data_lost = false;     // keys were there before the restart, none since
  // Percent of lookups that hit since the sample before (lifetime in the first); nothing without lookups.
  std::optional<double> hit_rate;
  InfoFields info;
  std::vector<SlowlogEntry> new_slowlog;
  // The fixed list of settings as last read (at most ten minutes old); null when CONFIG is denied or absent.
  std::shared_ptr<const ConfigValues> config;
};

// All that is known about an instance at one moment: what an analysis looks at.
struct Snapshot {
  Sample now;
  std::optional<Sample> before;  // about a minute older, for deltas
  ConfigValues config;
  std::vector<SlowlogEntry> slowlog;                         // newest first, at most 128
  std::vector<ClientRow> clients;                            // without our own connections
  std::vector<std::pair<std::string, std::string>> latency;  // LATENCY LATEST: event -> "latest_ms=3,max_ms=10,at=..."
  Capabilities capabilities;
  std::map<std::string, std::string> not_seen;  // "CONFIG" -> the reason why it could not be observed
};

// The fields of GET /monitor/metrics: INFO's names with INFO's values as numbers or text, null where not observable,
// and the computed memory_usage_percent, hit_rate, keys, ping_ms. Our own connections are left out of
// connected_clients.
base::Json MetricsOf(const Sample& sample);

// The numbers of MetricsOf worth drawing over time, for the history; only observable ones.
std::vector<std::pair<std::string, double>> SeriesOf(const Sample& sample);

// 100 * (used_memory - mem_not_counted_for_evict) / maxmemory; nothing without a limit.
std::optional<double> MemoryUsagePercent(const InfoFields& info);
// Lifetime keyspace hits in percent; nothing before the first lookup.
std::optional<double> HitRatePercent(const InfoFields& info);
// Keys over all databases; nothing when the server did not report its keyspace.
std::optional<double> TotalKeys(const InfoFields& info);

}  // namespace redoubt::monitor
