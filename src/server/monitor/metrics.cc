#include <algorithm>
#include <cmath>
#include <string>

#include "base/json.h"
#include "server/monitor/sample.h"

namespace redoubt::monitor {
namespace {

using base::Json;

// INFO's own fields of GET /monitor/metrics, in the order of the reply.
constexpr std::string_view kNumbers[] = {
    "used_memory",
    "maxmemory",
    "used_memory_rss",
    "used_memory_peak",
    "mem_fragmentation_ratio",
    "allocator_frag_ratio",
    "evicted_keys",
    "expired_keys",
    "connected_clients",
    "maxclients",
    "blocked_clients",
    "rejected_connections",
    "total_connections_received",
    "instantaneous_ops_per_sec",
    "instantaneous_input_kbps",
    "instantaneous_output_kbps",
    "total_commands_processed",
    "keyspace_hits",
    "keyspace_misses",
    "total_error_replies",
    "latest_fork_usec",
    "loading",
    "rdb_changes_since_last_save",
    "rdb_bgsave_in_progress",
    "rdb_last_save_time",
    "aof_enabled",
    "aof_rewrite_in_progress",
    "connected_slaves",
    "master_repl_offset",
    "master_last_io_seconds_ago",
    "master_sync_in_progress",
    "uptime_in_seconds",
    "cluster_enabled",
};
constexpr std::string_view kTexts[] = {
    "used_memory_human",
    "maxmemory_human",
    "maxmemory_policy",
    "rdb_last_bgsave_status",
    "aof_last_bgrewrite_status",
    "aof_last_write_status",
    "role",
    "master_link_status",
    "redis_version",
    "valkey_version",
    "redis_mode",
    "run_id",
};
constexpr std::string_view kSeries[] = {
    "used_memory",
    "maxmemory",
    "used_memory_rss",
    "memory_usage_percent",
    "mem_fragmentation_ratio",
    "connected_clients",
    "blocked_clients",
    "rejected_connections",
    "instantaneous_ops_per_sec",
    "hit_rate",
    "keyspace_hits",
    "keyspace_misses",
    "evicted_keys",
    "expired_keys",
    "keys",
    "ping_ms",
    "connected_slaves",
    "uptime_in_seconds",
    "total_error_replies",
    "instantaneous_input_kbps",
    "instantaneous_output_kbps",
};

Json NumberJson(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double names no single integer
  if (std::abs(value) < kExact && value == std::trunc(value)) return static_cast<int64_t>(value);
  return value;
}

Json OptionalNumber(const std::optional<double>& value) { return value ? NumberJson(*value) : Json(nullptr); }

double Rounded(double value, double per_unit) { return std::round(value * per_unit) / per_unit; }

bool IsDatabaseField(std::string_view name) {
  return name.size() > 2 && name.starts_with("db") && name.find_first_not_of("0123456789", 2) == std::string_view::npos;
}

std::optional<double> Metric(const Sample& sample, std::string_view name) {
  const InfoFields& info = sample.info;
  if (name == "memory_usage_percent") return MemoryUsagePercent(info);
  if (name == "hit_rate") return sample.hit_rate;
  if (name == "keys") return TotalKeys(info);
  if (name == "ping_ms") {
    if (sample.ping_us <= 0) return std::nullopt;
    return Rounded(static_cast<double>(sample.ping_us) / 1000.0, 1000);
  }
  std::optional<double> value = info.Number(name);
  if (value && name == "connected_clients") return std::max(0.0, *value - sample.own_connections);
  return value;
}

}  // namespace

std::optional<double> MemoryUsagePercent(const InfoFields& info) {
  std::optional<double> used = info.Number("used_memory");
  std::optional<double> limit = info.Number("maxmemory");
  if (!used || !limit || *limit <= 0) return std::nullopt;
  double counted = std::max(0.0, *used - info.Number("mem_not_counted_for_evict").value_or(0));
  return Rounded(100.0 * counted / *limit, 100);
}

std::optional<double> HitRatePercent(const InfoFields& info) {
  std::optional<double> hits = info.Number("keyspace_hits");
  std::optional<double> misses = info.Number("keyspace_misses");
  if (!hits || !misses || *hits + *misses <= 0) return std::nullopt;
  return Rounded(100.0 * *hits / (*hits + *misses), 100);
}

std::optional<double> TotalKeys(const InfoFields& info) {
  // A server without keys lists no database, so the statistics have to vouch for an empty keyspace.
  bool seen = info.Has("keyspace_hits");
  double keys = 0;
  for (InfoFields::Field field : info) {
    if (!IsDatabaseField(field.name)) continue;
    seen = true;
    keys += info.Sub(field.name, "keys").value_or(0);
  }
  if (!seen) return std::nullopt;
  return keys;
}

Json MetricsOf(const Sample& sample) {
  Json metrics = Json::object();
  for (std::string_view name : kNumbers) metrics[std::string(name)] = OptionalNumber(Metric(sample, name));
  for (std::string_view name : {"memory_usage_percent", "hit_rate", "keys", "ping_ms"}) {
    metrics[std::string(name)] = OptionalNumber(Metric(sample, name));
  }
  for (std::string_view name : kTexts) {
    std::optional<std::string_view> text = sample.info.Text(name);
    metrics[std::string(name)] = text ? Json(std::string(*text)) : Json(nullptr);
  }
  return metrics;
}

std::vector<std::pair<std::string, double>> SeriesOf(const Sample& sample) {
  std::vector<std::pair<std::string, double>> series;
  if (!sample.reachable) return series;
  for (std::string_view name : kSeries) {
    if (std::optional<double> value = Metric(sample, name)) series.emplace_back(name, *value);
  }
  return series;
}

}  // namespace redoubt::monitor
