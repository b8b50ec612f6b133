#include "server/diagnose/facts.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "base/json.h"
#include "server/diagnose/redact.h"

namespace redoubt::diagnose {
namespace {

constexpr int64_t kRecentSlowlogMs = 15 * 60'000;
constexpr size_t kMaxMetrics = 5'000;

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string Shown(const monitor::SlowlogEntry& entry) {
  std::string command;
  for (const std::string& arg : entry.args) {
    if (!command.empty()) command += ' ';
    command += arg;
    if (command.size() > 120) break;
  }
  return Redact(fmt::format("{} us: {}", entry.duration_us, command.substr(0, 120)));
}

double NumberIn(const monitor::ClientRow& row, const char* column) {
  auto it = row.find(column);
  return it == row.end() ? 0 : monitor::ParseNumber(it->second).value_or(0);
}

std::string TextIn(const monitor::ClientRow& row, const char* column) {
  auto it = row.find(column);
  return it == row.end() ? "" : it->second;
}

std::string ValueText(const base::Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  if (value.is_object()) {  // {"errorstat_OOM": {"count": 3}} is how INFO's compound fields look as JSON
    std::string out;
    for (const auto& [key, part] : value.items()) {
      if (part.is_structured()) continue;
      out += (out.empty() ? "" : ",") + key + "=" + ValueText(part);
    }
    return out;
  }
  return base::DumpJson(value);
}

}  // namespace

std::optional<double> HumanNumber(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  std::string unit = Upper(text.substr(static_cast<size_t>(end - text.data())));
  if (unit.empty() || unit == "%") return number;
  if (unit == "B") return number;
  if (unit == "K" || unit == "KB" || unit == "KIB") return number * 1024;
  if (unit == "M" || unit == "MB" || unit == "MIB") return number * 1048576;
  if (unit == "G" || unit == "GB" || unit == "GIB") return number * 1073741824;
  if (unit == "T" || unit == "TB") return number * 1099511627776.0;
  return std::nullopt;
}

Facts::Facts(const Recognised& text, const base::Json* metrics, const monitor::Snapshot* live) {
  now_ = live != nullptr ? live->now.info : text.fields;
  lines_ = text.field_lines;
  if (live != nullptr) {
    if (live->before && live->before->reachable && live->now.reachable && !live->now.restarted) {
      before_ = live->before->info;
      int64_t us = live->now.steady_us - live->before->steady_us;
      if (us > 0) seconds_ = static_cast<double>(us) / 1e6;
    }
    Derive("now", static_cast<double>(live->now.at_ms / 1000));
    AddSettings(live->config);
    AddSlowlog(live->slowlog, live->now.at_ms - kRecentSlowlogMs);
    AddClients(live->clients);
    AddLatency(live->latency);
    if (live->now.ping_us > 0) Derive("ping_ms", static_cast<double>(live->now.ping_us) / 1000.0);
    for (auto field : text.fields) {
      if (!now_.Has(field.name)) now_.Set(field.name, field.value);
    }
  }
  AddSettings(text.config);
  AddSlowlog(text.slowlog, 0);
  AddClients(text.clients);
  AddNodes(text.nodes);
  AddLatency(text.latency);
  if (metrics != nullptr && metrics->is_object()) AddMetrics(*metrics);
  AddReplicas();
}

void Facts::AddMetrics(const base::Json& metrics) {
  size_t count = 0;
  for (const auto& [name, value] : metrics.items()) {
    if (value.is_null() || name.size() > 100 || ++count > kMaxMetrics) continue;
    std::string text = ValueText(value).substr(0, 1024);
    lines_.erase(name);
    if (name.find('.') != std::string::npos || name.find('-') != std::string::npos) {
      derived_[name.starts_with("config.") || name.find('.') != std::string::npos ? name : "config." + name] = {
          text, HumanNumber(text)};
    } else {
      now_.Set(name, text);
    }
  }
}

void Facts::AddSettings(const monitor::ConfigValues& config) {
  for (const auto& [name, value] : config) {
    derived_.emplace("config." + name, kb::FieldValue{value, HumanNumber(value)});
  }
}

void Facts::Derive(const std::string& name, double number, std::string text) {
  if (text.empty()) text = fmt::format("{:.0f}", number);
  auto [it, fresh] = derived_.try_emplace(name, kb::FieldValue{text, number});
  if (!fresh && it->second.number.value_or(0) < number) it->second = {text, number};
}

void Facts::AddSlowlog(const std::vector<monitor::SlowlogEntry>& entries, int64_t not_before_ms) {
  static const std::set<std::string> kScripts = {"EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"};
  static const std::set<std::string> kReads = {
      "HGETALL", "SMEMBERS", "LRANGE",        "ZRANGE", "SORT",      "HKEYS",       "HVALS", "SUNION", "SINTER",
      "SDIFF",   "MGET",     "ZRANGEBYSCORE", "XRANGE", "ZREVRANGE", "ZUNIONSTORE", "GET",   "HMGET",  "ZINTERSTORE"};
  static const std::set<std::string> kDeletes = {"DEL", "UNLINK", "LTRIM", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE"};
  double count = 0;
  for (const monitor::SlowlogEntry& entry : entries) {
    if (entry.at_ms < not_before_ms || entry.args.empty()) continue;
    ++count;
    std::string name = Upper(entry.args[0]);
    auto us = static_cast<double>(entry.duration_us);
    std::string shown = Shown(entry);
    Derive("slowlog_max_us", us, shown);
    if (name == "KEYS") Derive("slowlog_keys_max_us", us, shown);
    if (kScripts.contains(name)) Derive("slowlog_script_max_us", us, shown);
    if (kReads.contains(name)) Derive("slowlog_read_max_us", us, shown);
    if (kDeletes.contains(name)) Derive("slowlog_del_max_us", us, shown);
    if (name == "FLUSHALL" || name == "FLUSHDB") Derive("slowlog_flush_us", us, shown);
    if (name.starts_with("FT.")) Derive("slowlog_search_max_us", us, shown);
    if (name == "DEBUG") Derive("slowlog_debug_max_us", us, shown);
  }
  if (count > 0) Derive("slowlog_count", count);
}

void Facts::AddClients(const std::vector<monitor::ClientRow>& clients) {
  if (clients.empty()) return;
  std::map<std::string, double> by_address;
  double idle = 0, monitors = 0, blocked = 0;
  for (const monitor::ClientRow& row : clients) {
    double omem = NumberIn(row, "omem");
    std::string flags = TextIn(row, "flags");
    std::string address = TextIn(row, "addr");
    std::string who =
        fmt::format("{:.0f} (id={} addr={} cmd={})", omem, TextIn(row, "id"), address, TextIn(row, "cmd"));
    bool replica = flags.find('S') != std::string::npos;
    Derive(replica ? "clients_omem_replica_max" : "clients_omem_max", omem, who);
    Derive("clients_qbuf_max", NumberIn(row, "qbuf"));
    idle += NumberIn(row, "idle") > 3600 && !replica && flags.find('P') == std::string::npos;
    monitors += flags.find('O') != std::string::npos || TextIn(row, "cmd") == "monitor";
    blocked += flags.find('b') != std::string::npos;
    ++by_address[address.substr(0, address.rfind(':'))];
  }
  Derive("clients_listed", static_cast<double>(clients.size()));
  Derive("clients_idle_1h", idle);
  Derive("clients_monitor", monitors);
  Derive("clients_blocked", blocked);
  for (const auto& [address, count] : by_address)
    Derive("clients_same_addr_max", count, fmt::format("{:.0f} ({})", count, address));
}

void Facts::AddNodes(const std::vector<ClusterNode>& nodes) {
  if (nodes.empty()) return;
  double fail = 0, maybe = 0, open = 0;
  for (const ClusterNode& node : nodes) {
    bool suspected = node.flags.find("fail?") != std::string::npos;
    maybe += suspected;
    fail += !suspected && node.flags.find("fail") != std::string::npos;
    open += node.open_slots;
  }
  Derive("cluster_nodes_fail", fail);
  Derive("cluster_nodes_pfail", maybe);
  Derive("cluster_slots_open", open);
}

void Facts::AddReplicas() {
  std::optional<double> primary = now_.Number("master_repl_offset");
  for (int i = 0; i < 32; ++i) {
    std::string name = fmt::format("slave{}", i);
    if (!now_.Has(name)) continue;
    if (auto lag = now_.Sub(name, "lag"); lag && *lag >= 0)
      Derive("slave_lag_max", *lag, fmt::format("{:.0f} ({})", *lag, name));
    auto offset = now_.Sub(name, "offset");
    if (primary && offset && *primary >= *offset) Derive("slave_offset_gap_max", *primary - *offset);
  }
}

void Facts::AddLatency(const std::vector<std::pair<std::string, std::string>>& latency) {
  for (const auto& [event, values] : latency) {
    for (const char* key : {"max_ms", "latest_ms"}) {
      auto text = monitor::CompoundValue(values, key);
      auto number = text ? monitor::ParseNumber(*text) : std::nullopt;
      if (number) Derive("latency." + event, *number);
    }
  }
}

std::optional<kb::FieldValue> Facts::Now(std::string_view field) const {
  if (auto it = derived_.find(field); it != derived_.end()) return it->second;
  auto from = [&](const monitor::InfoFields& info) -> std::optional<kb::FieldValue> {
    if (auto text = info.Text(field)) return kb::FieldValue{std::string(*text), HumanNumber(*text)};
    size_t dot = field.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    auto part = info.SubText(field.substr(0, dot), field.substr(dot + 1));
    if (!part) return std::nullopt;
    return kb::FieldValue{std::string(*part), HumanNumber(*part)};
  };
  if (auto value = from(now_)) return value;
  // What INFO prints for people stands in where the exact field is missing; settings for limits likewise.
  if (auto human = now_.Text(std::string(field) + "_human"))
    return kb::FieldValue{std::string(*human), HumanNumber(*human)};
  if (field == "maxmemory" || field == "maxclients") return Now("config." + std::string(field));
  if (field == "maxmemory_policy") return Now("config.maxmemory-policy");
  return std::nullopt;
}

std::optional<kb::FieldValue> Facts::Before(std::string_view field) const {
  if (auto text = before_.Text(field)) return kb::FieldValue{std::string(*text), HumanNumber(*text)};
  size_t dot = field.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  auto part = before_.SubText(field.substr(0, dot), field.substr(dot + 1));
  if (part) return kb::FieldValue{std::string(*part), HumanNumber(*part)};
  // An error that was not counted before was not there before.
  if (field.starts_with("errorstat_") && !before_.empty()) return kb::FieldValue{"0", 0.0};
  return std::nullopt;
}

std::optional<uint32_t> Facts::LineOf(std::string_view field) const {
  auto it = lines_.find(field);
  return it == lines_.end() ? std::nullopt : std::optional(it->second);
}

}  // namespace redoubt::diagnose
