#include "server/monitor/link.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/monitor/capability_probe.h"
#include "server/monitor/connect_error.h"
#include "server/monitor/replies.h"

namespace redoubt::monitor {

using base::Result;
using resp::Reply;

namespace {

constexpr int64_t kMaxBackOffUs = 30'000'000;

// Settings that a diagnosis or an alert reads. No secret is among them, and never `*`.
constexpr std::string_view kConfigNames[] = {
    "maxmemory",
    "maxmemory-policy",
    "maxmemory-samples",
    "maxmemory-clients",
    "maxclients",
    "timeout",
    "tcp-keepalive",
    "tcp-backlog",
    "bind",
    "protected-mode",
    "save",
    "dir",
    "dbfilename",
    "stop-writes-on-bgsave-error",
    "rdbcompression",
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "auto-aof-rewrite-percentage",
    "auto-aof-rewrite-min-size",
    "aof-load-truncated",
    "aof-use-rdb-preamble",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "latency-monitor-threshold",
    "client-output-buffer-limit",
    "client-query-buffer-limit",
    "repl-backlog-size",
    "repl-timeout",
    "repl-diskless-sync",
    "replica-read-only",
    "replica-serve-stale-data",
    "replica-priority",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "activedefrag",
    "active-expire-effort",
    "lazyfree-lazy-eviction",
    "lazyfree-lazy-expire",
    "lazyfree-lazy-server-del",
    "lazyfree-lazy-user-del",
    "hz",
    "io-threads",
    "cluster-node-timeout",
    "cluster-require-full-coverage",
    "cluster-replica-validity-factor",
};

bool SixOrLater(std::string_view version) {
  size_t dot = version.find('.');
  return dot != std::string_view::npos && (dot > 1 || version[0] >= '6');
}

ProbeFailure KindOf(const base::Status& status) {
  switch (status.code()) {
    case base::StatusCode::kDeadlineExceeded:
      return ProbeFailure::kTimeout;
    case base::StatusCode::kFailedPrecondition:
      return ProbeFailure::kNotRedis;
    default:
      return ProbeFailure::kClosed;
  }
}

}  // namespace

Link::Link(std::string instance, resp::ConnectOptions options, const base::Clock& clock, Timing timing)
    : instance_(std::move(instance)), options_(std::move(options)), clock_(clock), timing_(timing) {}

int Link::TimeLeftMs() const {
  if (budget_end_us_ == 0) return options_.command_timeout_ms;
  int64_t left_ms = (budget_end_us_ - clock_.SteadyMicros()) / 1000;
  return static_cast<int>(std::clamp<int64_t>(left_ms, 1, options_.command_timeout_ms));
}

Result<Reply> Link::Call(std::initializer_list<std::string_view> argv) {
  if (!connected()) return base::Unavailable("not connected");
  return client_->Command(argv, TimeLeftMs());
}

bool Link::MayCall(std::string_view capability) const {
  return !capabilities_known_ || capabilities_.Allows(capability);
}

std::optional<ConnectError> Link::Open() {
  resp::ConnectFailure failure = resp::ConnectFailure::kClosed;
  Result<std::unique_ptr<resp::Client>> client = resp::Client::Connect(options_, &failure);
  if (!client.ok()) return ExplainConnectFailure(failure, client.status(), options_);
  client_ = std::move(*client);
  auto broken = [&](const base::Status& status) {
    bool timeout = status.code() == base::StatusCode::kDeadlineExceeded;
    return ExplainConnectFailure(timeout ? resp::ConnectFailure::kTimeout : resp::ConnectFailure::kClosed, status,
                                 options_);
  };
  Result<Reply> info = Call({"INFO", "server"});
  if (!info.ok()) return broken(info.status());
  InfoFields fields = InfoFields::Parse(info->IsError() ? "" : info->text());
  if (fields.Text("redis_mode") == "sentinel") {
    client_.reset();
    return ExplainSentinel(options_);
  }
  ReadFacts(fields);
  Result<Capabilities> capabilities = ProbeCapabilities(*client_, facts_.version);
  if (!capabilities.ok()) return broken(capabilities.status());
  capabilities_ = std::move(*capabilities);
  capabilities_known_ = true;
  RefreshConfig(true);
  return std::nullopt;
}

void Link::ReadFacts(const InfoFields& info) {
  if (info.empty()) return;
  bool valkey = info.Has("valkey_version");
  facts_.engine = valkey ? "valkey" : "redis";
  facts_.version = std::string(info.Text(valkey ? "valkey_version" : "redis_version").value_or(""));
  facts_.mode = std::string(info.Text("redis_mode").value_or(facts_.mode));
  facts_.role = std::string(info.Text("role").value_or(facts_.role));
  info_with_modules_ = valkey || SixOrLater(facts_.version);
}

Sample Link::NewSample() const {
  Sample sample;
  sample.instance = instance_;
  sample.at_ms = clock_.WallMillis();
  sample.steady_us = clock_.SteadyMicros();
  return sample;
}

void Link::Fail(Sample& sample, ProbeFailure failure, std::string error) {
  sample.reachable = false;
  sample.failure = last_failure_ = failure;
  sample.error = last_error_ = std::move(error);
}

void Link::FailBy(Sample& sample, const base::Status& status) { Fail(sample, KindOf(status), status.message()); }

// Doubles the pause after each failure, up to half a minute: a server that is down is not hammered, and one that is
// full gets its seats back.
bool Link::Reconnect(Sample& sample) {
  int64_t now_us = clock_.SteadyMicros();
  if (now_us < next_connect_us_) {
    Fail(sample, last_failure_, last_error_);
    return false;
  }
  resp::ConnectFailure failure = resp::ConnectFailure::kClosed;
  Result<std::unique_ptr<resp::Client>> client = resp::Client::Connect(options_, &failure);
  if (!client.ok()) {
    failed_connects_ = std::min(failed_connects_ + 1, 10);
    next_connect_us_ = now_us + std::min<int64_t>(kMaxBackOffUs, int64_t{125'000} << failed_connects_);
    Fail(sample, ToProbeFailure(failure), client.status().message());
    return false;
  }
  failed_connects_ = 0;
  next_connect_us_ = 0;
  client_ = std::move(*client);
  if (!capabilities_known_) {
    Result<Capabilities> capabilities = ProbeCapabilities(*client_, facts_.version);
    capabilities_known_ = capabilities.ok();
    if (capabilities.ok()) capabilities_ = std::move(*capabilities);
  }
  config_read_us_ = 0;
  return true;
}

bool Link::Ping(Sample& sample) {
  int64_t begin_us = clock_.SteadyMicros();
  Result<Reply> pong = Call({"PING"});
  if (!pong.ok()) {
    FailBy(sample, pong.status());
    return false;
  }
  sample.ping_us = std::max<int64_t>(1, clock_.SteadyMicros() - begin_us);
  slow_ = sample.ping_us > timing_.slow_ping_us;
  return true;
}

bool Link::ReadInfo(Sample& sample) {
  Result<Reply> reply = Call({"INFO", info_with_modules_ ? "everything" : "all"});
  if (!reply.ok()) {
    FailBy(sample, reply.status());
    return false;
  }
  if (reply->IsError()) {
    ProbeFailure kind = ProbeFailure::kOther;
    if (reply->IsError("BUSY")) kind = ProbeFailure::kBusy;
    if (reply->IsError("NOAUTH") || reply->IsError("WRONGPASS")) kind = ProbeFailure::kAuth;
    if (reply->IsError("NOPERM")) kind = ProbeFailure::kPermission;
    Fail(sample, kind, fmt::format("INFO: {}", reply->text()));
    return false;
  }
  sample.info = InfoFields::Parse(reply->text());
  if (sample.info.Text("redis_mode") == "sentinel") {
    Fail(sample, ProbeFailure::kSentinel, fmt::format("{} is a Sentinel now", resp::Address(options_)));
    return false;
  }
  if (!sample.info.Has("redis_version") && !sample.info.Has("used_memory")) {
    Fail(sample, ProbeFailure::kNotRedis, fmt::format("{} answered INFO without fields", resp::Address(options_)));
    return false;
  }
  sample.reachable = true;
  sample.own_connections = 1;
  ReadFacts(sample.info);
  return true;
}

// Asks for the newest id alone; only when it is new, for the entries after the last one seen.
void Link::ReadNewSlowlog(Sample& sample) {
  if (!MayCall("SLOWLOG")) return;
  Result<Reply> newest = Call({"SLOWLOG", "GET", "1"});
  // An error ("-LOADING", "-NOPERM") does not say that the log is empty: old entries would be new afterwards.
  if (!newest.ok() || newest->IsError()) return;
  std::vector<SlowlogEntry> first = ReadSlowlog(*newest);
  int64_t count = slowlog_.CountToAsk(first.empty() ? -1 : first[0].id);
  if (count == 0) return;
  Result<Reply> entries = Call({"SLOWLOG", "GET", std::to_string(count)});
  if (!entries.ok()) return;
  for (SlowlogEntry& entry : slowlog_.TakeNew(ReadSlowlog(*entries))) {
    if (entry.client_name != options_.client_name) sample.new_slowlog.push_back(std::move(entry));
  }
}

void Link::RefreshConfig(bool force) {
  if (!MayCall("CONFIG") || !connected()) return;
  int64_t now_us = clock_.SteadyMicros();
  if (!force && config_read_us_ != 0 && now_us - config_read_us_ < int64_t{timing_.config_refresh_ms} * 1000) return;
  std::vector<std::vector<std::string>> commands;
  for (std::string_view name : kConfigNames) commands.push_back({"CONFIG", "GET", std::string(name)});
  Result<std::vector<Reply>> replies = client_->Pipeline(commands, TimeLeftMs());
  if (!replies.ok()) return;
  auto values = std::make_shared<ConfigValues>();
  for (const Reply& reply : *replies) ReadConfigPairs(reply, *values);
  config_read_us_ = now_us;
  if (!values->empty()) config_ = std::move(values);
}

Sample Link::Poll() {
  Sample sample = NewSample();
  bool was_slow = slow_;
  if (!connected() && !Reconnect(sample)) return sample;
  if (!Ping(sample) || !ReadInfo(sample)) return sample;
  if (!was_slow && !slow_) {
    ReadNewSlowlog(sample);
    RefreshConfig(false);
  }
  sample.config = config_;
  return sample;
}

void Link::CollectSlowlog(Snapshot& snapshot) {
  if (!MayCall("SLOWLOG")) return;
  Result<Reply> reply = Call({"SLOWLOG", "GET", std::to_string(SlowlogCursor::kDepth)});
  if (!reply.ok() || reply->IsError()) {
    snapshot.not_seen["SLOWLOG"] = reply.ok() ? reply->text() : reply.status().message();
    return;
  }
  for (SlowlogEntry& entry : ReadSlowlog(*reply)) {
    if (entry.client_name != options_.client_name) snapshot.slowlog.push_back(std::move(entry));
  }
}

void Link::CollectLatency(Snapshot& snapshot) {
  if (!MayCall("LATENCY")) return;
  Result<Reply> reply = Call({"LATENCY", "LATEST"});
  if (reply.ok() && !reply->IsError()) {
    snapshot.latency = ReadLatencyLatest(*reply);
  } else {
    snapshot.not_seen["LATENCY"] = reply.ok() ? reply->text() : reply.status().message();
  }
}

void Link::CollectClients(Snapshot& snapshot, bool all_clients) {
  if (!MayCall("CLIENT LIST")) return;
  int64_t now_us = clock_.SteadyMicros();
  if (clients_read_us_ && now_us - *clients_read_us_ < int64_t{timing_.client_list_spacing_ms} * 1000) {
    snapshot.clients = clients_;
    return;
  }
  double connected_clients = snapshot.now.info.Number("connected_clients").value_or(0);
  if (!all_clients && connected_clients > kMaxClientsListed) {
    snapshot.not_seen["CLIENT LIST"] =
        fmt::format("{:.0f} clients are connected; above {} the list is read only when asked for", connected_clients,
                    kMaxClientsListed);
    return;
  }
  Result<Reply> reply = Call({"CLIENT", "LIST"});
  if (!reply.ok() || reply->IsError()) {
    snapshot.not_seen["CLIENT LIST"] = reply.ok() ? reply->text() : reply.status().message();
    return;
  }
  clients_read_us_ = now_us;
  clients_ = ReadClientList(reply->text());
  std::erase_if(clients_, [&](const ClientRow& row) {
    auto id = row.find("id");
    return id != row.end() && id->second == std::to_string(client_->id());
  });
  snapshot.clients = clients_;
}

void Link::NoteMissing(Snapshot& snapshot) const {
  for (const Capability& capability : capabilities_.list) {
    if (capability.state == Capability::State::kAllowed) continue;
    snapshot.not_seen[capability.name] = capability.reply;
  }
}

Snapshot Link::Collect(bool all_clients, int budget_ms) {
  budget_end_us_ = clock_.SteadyMicros() + int64_t{budget_ms} * 1000;
  next_connect_us_ = 0;  // somebody waits for an answer: the back-off does not count
  Snapshot snapshot;
  snapshot.now = NewSample();
  if ((connected() || Reconnect(snapshot.now)) && Ping(snapshot.now) && ReadInfo(snapshot.now)) {
    RefreshConfig(true);
    CollectSlowlog(snapshot);
    CollectLatency(snapshot);
    CollectClients(snapshot, all_clients);
  }
  snapshot.now.config = config_;
  if (config_) snapshot.config = *config_;
  snapshot.capabilities = capabilities_;
  NoteMissing(snapshot);
  budget_end_us_ = 0;
  return snapshot;
}

}  // namespace redoubt::monitor
