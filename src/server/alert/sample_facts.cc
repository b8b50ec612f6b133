#include "server/alert/sample_facts.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

namespace redoubt::alert {
namespace {

using monitor::InfoFields;

constexpr int64_t kSlowPingUs = 1'000'000;

Value FromOptional(const std::optional<double>& number) { return number ? Value(*number) : Value(); }

bool IsDatabase(std::string_view name) {
  return name.size() > 2 && name.starts_with("db") && name.find_first_not_of("0123456789", 2) == std::string_view::npos;
}

bool IsReplica(std::string_view name) {
  return name.size() > 5 && name.starts_with("slave") && name[5] >= '0' && name[5] <= '9';
}

// Keys with a time to live among all keys, 0..1.
Value ExpiresShare(const InfoFields& info) {
  double keys = 0, expires = 0;
  for (InfoFields::Field field : info) {
    if (!IsDatabase(field.name)) continue;
    keys += info.Sub(field.name, "keys").value_or(0);
    expires += info.Sub(field.name, "expires").value_or(0);
  }
  return keys > 0 ? Value(expires / keys) : Value();
}

double NextNumber(std::string_view& text) {
  while (!text.empty() && (text[0] < '0' || text[0] > '9')) text.remove_prefix(1);
  double number = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return -1;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

}  // namespace

void PollCounts::Count(const monitor::Sample& sample) {
  timed_out = !sample.reachable && sample.failure == monitor::ProbeFailure::kTimeout;
  bool bad = !sample.reachable || sample.ping_us > kSlowPingUs;
  if (!bad) {
    bad_polls = 0;
    return;
  }
  if (bad_polls == 0) bad_since_ms = sample.at_ms;
  ++bad_polls;
}

Value SampleFacts::Field(std::string_view name) const {
  if (name.starts_with("probe.")) return Probe(name.substr(6));
  if (!sample_.reachable) return {};
  if (std::optional<double> number = sample_.info.Number(name)) return *number;
  std::optional<std::string_view> text = sample_.info.Text(name);
  return text ? Value(std::string(*text)) : Value();
}

Value SampleFacts::Config(std::string_view name) const {
  if (!sample_.config) return {};
  auto found = sample_.config->find(std::string(name));
  if (found == sample_.config->end()) return {};
  if (std::optional<double> number = monitor::ParseNumber(found->second)) return *number;
  return found->second;
}

// A code that never happened has no line; total_error_replies came with the same version and vouches for the section.
Value SampleFacts::Errors(std::string_view code) const {
  if (!sample_.reachable || !sample_.info.Has("total_error_replies")) return {};
  return sample_.info.Sub("errorstat_" + std::string(code), "count").value_or(0);
}

Value SampleFacts::Calls(const std::vector<std::string>& commands) const {
  // INFO itself is always among the statistics.
  if (!sample_.reachable || !sample_.info.Has("cmdstat_info")) return {};
  double calls = 0;
  for (const std::string& command : commands) calls += sample_.info.Sub("cmdstat_" + command, "calls").value_or(0);
  return calls;
}

Value SampleFacts::Probe(std::string_view name) const {
  if (name == "reachable") return sample_.reachable;
  if (name == "timed_out") return counts_.timed_out;
  if (name == "bad_polls") return static_cast<double>(counts_.bad_polls);
  if (name == "bad_for_s") {
    return counts_.bad_polls == 0 ? 0 : static_cast<double>(sample_.at_ms - counts_.bad_since_ms) / 1000.0;
  }
  if (name == "now_s") return static_cast<double>(sample_.at_ms) / 1000.0;
  if (!sample_.reachable) return {};
  if (name == "ping_ms") return static_cast<double>(sample_.ping_us) / 1000.0;
  if (name == "restarted") return sample_.restarted;
  if (name == "role_changed") return sample_.role_changed;
  if (name == "data_lost") return sample_.data_lost;
  if (name == "slowlog_new") return static_cast<double>(sample_.new_slowlog.size());
  if (name == "hit_rate") return FromOptional(sample_.hit_rate);
  if (name == "keys") return FromOptional(monitor::TotalKeys(sample_.info));
  if (name == "expires_share") return ExpiresShare(sample_.info);
  if (name == "clients") {
    std::optional<double> clients = sample_.info.Number("connected_clients");
    return clients ? Value(std::max(0.0, *clients - sample_.own_connections)) : Value();
  }
  if (name == "save_period_s") return SavePeriod();
  return Replica(name);
}

Value SampleFacts::Replica(std::string_view name) const {
  const InfoFields& info = sample_.info;
  std::optional<double> offset = info.Number("master_repl_offset");
  double online = 0, lag_s = -1, gap = -1;
  for (InfoFields::Field field : info) {
    if (!IsReplica(field.name) || info.SubText(field.name, "state") != "online") continue;
    ++online;
    lag_s = std::max(lag_s, info.Sub(field.name, "lag").value_or(-1));
    std::optional<double> reached = info.Sub(field.name, "offset");
    if (offset && reached) gap = std::max(gap, *offset - *reached);
  }
  if (name == "replicas_online") return info.Has("connected_slaves") ? Value(online) : Value();
  if (name == "replica_lag_s") return lag_s >= 0 ? Value(lag_s) : Value();
  if (name == "replica_gap_bytes") return gap >= 0 ? Value(gap) : Value();
  return {};
}

// The shortest "save" period whose number of changes has been reached: how old a save may be by the server's own rule.
// With saving on but too few changes it is unbounded; with saving off, or unknown, not observable.
Value SampleFacts::SavePeriod() const {
  if (!sample_.config) return {};
  auto save = sample_.config->find("save");
  std::optional<double> changes = sample_.info.Number("rdb_changes_since_last_save");
  if (save == sample_.config->end() || save->second.empty() || !changes) return {};
  std::string_view text = save->second;
  double period_s = std::numeric_limits<double>::infinity();
  for (;;) {
    double seconds = NextNumber(text);
    double least_changes = NextNumber(text);
    if (seconds < 0 || least_changes < 0) break;
    if (*changes >= least_changes) period_s = std::min(period_s, seconds);
  }
  return period_s;
}

}  // namespace redoubt::alert
