#include "server/lab/session.h"

#include <fmt/core.h>

#include <algorithm>

namespace redoubt::lab {

using base::Json;
using base::LocalText;
using base::Result;
using base::Status;

namespace {

constexpr int64_t kFillBudgetMs = 240'000;  // leaves a minute at the top before the automatic end
constexpr int64_t kUnlimitedFillMb = 256;   // where maxmemory is 0 and the operator confirmed
constexpr int64_t kSlowlogThresholdUs = 100'000;
constexpr int kScriptGraceMs = 2000;
constexpr int kKillAttempts = 5;
constexpr size_t kProbeWriteBytes = 64 * 1024;

// Ends by the server's clock (which Valkey 8 stops during a script), by CPU time (which Redis 7.0 hides from scripts),
// and by the number of rounds in any case.
constexpr std::string_view kSlowScript =
    "local limit = tonumber(ARGV[1]) "
    "local has_cpu, cpu = pcall(function() return os.clock() end) "
    "local t = redis.call('TIME') "
    "local begin = t[1] + t[2] / 1000000 "
    "for i = 1, 200000000 do "
    "  if i % 2000 == 0 then "
    "    t = redis.call('TIME') "
    "    if t[1] + t[2] / 1000000 - begin >= limit then return i end "
    "    if has_cpu and os.clock() - cpu >= limit then return i end "
    "  end "
    "end "
    "return 0";

Answer Done(Outcome outcome) { return {std::move(outcome), std::nullopt}; }
Answer Refused(Refusal refusal) { return {std::nullopt, std::move(refusal)}; }

LocalText OomText(const std::string& reply) {
  return {fmt::format("쓰기가 거부되었습니다: {}", reply), fmt::format("A write was refused: {}", reply)};
}

std::string ErrorType(const std::string& reply) {
  std::string_view text = reply;
  if (text.starts_with("ERR max number of clients")) return "MAXCLIENTS";
  return std::string(text.substr(0, text.find(' ')));
}

}  // namespace

Session::Session(std::string instance, Deps deps) : instance_(std::move(instance)), deps_(std::move(deps)) {}
Session::~Session() { StopFilling(); }

Result<std::unique_ptr<resp::Client>> Session::Open(const Target& target) const {
  resp::ConnectOptions options = target.connect;
  options.client_name = std::string(kFaultClientName);
  return resp::Client::Connect(options);
}

Status Session::Note() {
  Json config = Json::object();
  for (const auto& [name, values] : changed_config_) config[name] = {{"was", values.first}, {"set", values.second}};
  Json entry{{"instance", instance_}, {"config", std::move(config)}};
  return deps_.journal->save(instance_, entry);
}

void Session::Adopt(const Json& entry) {
  auto config = entry.find("config");
  if (config != entry.end() && config->is_object()) {
    for (const auto& [name, values] : config->items()) {
      changed_config_[name] = {values.value("was", ""), values.value("set", "")};
    }
  }
  std::lock_guard lock(mu_);
  Fault fault;
  fault.instance = instance_;
  fault.started_at_ms = deps_.clock->WallMillis();
  fault.ends_at_ms = fault.started_at_ms;  // due at once
  fault.message = {"이전 실행이 남긴 장애 주입을 되돌리는 중입니다", "Taking back the faults that an earlier run left"};
  faults_[FaultKind::kFillMemory] = fault;
}

std::optional<int64_t> Session::EndsAt() const {
  std::lock_guard lock(mu_);
  std::optional<int64_t> first;
  for (const auto& [kind, fault] : faults_) {
    if (!fault.ends_at_ms || fault.state == FaultState::kCleaned) continue;
    first = first ? std::min(*first, *fault.ends_at_ms) : *fault.ends_at_ms;
  }
  return first;
}

// With mu_ held.
Fault& Session::Begin(FaultKind kind) {
  Fault& fault = faults_[kind];
  fault = Fault{};
  fault.kind = kind;
  fault.instance = instance_;
  fault.started_at_ms = deps_.clock->WallMillis();
  fault.ends_at_ms = fault.started_at_ms + deps_.auto_cleanup_ms;
  return fault;
}

void Session::Publish(const Fault& fault) {
  if (deps_.on_change) deps_.on_change(fault);
}

void Session::StopFilling() {
  stop_filling_ = true;
  if (filling_.joinable()) filling_.join();
  stop_filling_ = false;
}

// A fill that is under way answers for itself: what it has come to.
std::optional<Answer> Session::RunningFill() {
  std::lock_guard lock(mu_);
  auto found = faults_.find(FaultKind::kFillMemory);
  if (found == faults_.end() || found->second.state != FaultState::kRunning) return std::nullopt;
  const Fault& fault = found->second;
  bool triggered = !fault.error_type.empty();
  return Done({triggered ? "error_triggered" : "started", fault.message, fault.error_type, instance_, fault});
}

Result<Answer> Session::AlreadyFull(resp::Client& client) {
  int64_t ends_at_ms = deps_.clock->WallMillis() + deps_.auto_cleanup_ms;
  ASSIGN_OR_RETURN(std::string refusal, TryWrite(client, std::string(kKeyPrefix) + "probe", kProbeWriteBytes, 5000));
  if (refusal.empty()) {
    LocalText room{"서버가 아직 쓰기를 받아들입니다. 더 채울 자리가 없어 시작하지 않았습니다",
                   "The server still takes writes; there was no room to fill, so nothing was started"};
    return Done({"done", room, "", instance_, std::nullopt});
  }
  Fault copy;
  {
    std::lock_guard lock(mu_);
    Fault& fault = Begin(FaultKind::kFillMemory);
    fault.state = FaultState::kDone;
    fault.progress = 1;
    fault.message = OomText(refusal);
    fault.error_type = ErrorType(refusal);
    fault.ends_at_ms = ends_at_ms;
    copy = fault;
  }
  Publish(copy);
  return Done({"error_triggered", {refusal, refusal}, copy.error_type, instance_, copy});
}

Result<Answer> Session::FillMemory(const Target& target, int64_t size_mb, bool confirmed) {
  if (std::optional<Answer> running = RunningFill()) return *running;
  StopFilling();
  ASSIGN_OR_RETURN(std::unique_ptr<resp::Client> client, Open(target));
  ASSIGN_OR_RETURN(ServerState state, ReadServerState(*client, 0, static_cast<int64_t>(held_.size())));
  if (auto refusal = CheckState(state, FaultKind::kFillMemory, confirmed)) return Refused(std::move(*refusal));
  RETURN_IF_ERROR(Note());
  if (state.maxmemory > 0 && state.used_memory >= state.maxmemory) return AlreadyFull(*client);

  int64_t wanted = size_mb << 20;
  if (state.maxmemory == 0) wanted = std::min(wanted > 0 ? wanted : INT64_MAX, kUnlimitedFillMb << 20);
  int64_t budget_ms = std::min<int64_t>(kFillBudgetMs, int64_t{deps_.auto_cleanup_ms} * 4 / 5);
  FillPlan plan = PlanFill(state.maxmemory, state.used_memory, wanted, target.interval_ms, budget_ms);
  int64_t minutes_s = static_cast<int64_t>(static_cast<double>(plan.target_bytes) / plan.bytes_per_second);
  Fault copy;
  {
    std::lock_guard lock(mu_);
    Fault& fault = Begin(FaultKind::kFillMemory);
    fault.message = {fmt::format("메모리 {} MB를 약 {}초에 걸쳐 채웁니다", plan.target_bytes >> 20, minutes_s),
                     fmt::format("Filling {} MB of memory over about {} s", plan.target_bytes >> 20, minutes_s)};
    copy = fault;
  }
  Publish(copy);
  filling_ = std::thread([this, plan, ends_at_ms = *copy.ends_at_ms, shared = std::shared_ptr(std::move(client))] {
    lab::FillMemory(*shared, plan, ends_at_ms, *deps_.clock, stop_filling_,
                    [this](const FillProgress& progress) { OnFillProgress(progress); });
  });
  return Done({"started", copy.message, "", instance_, copy});
}

// On the filling thread.
void Session::OnFillProgress(const FillProgress& progress) {
  Fault copy;
  {
    std::lock_guard lock(mu_);
    Fault& fault = faults_[FaultKind::kFillMemory];
    int shown_before = static_cast<int>(fault.progress * 50);
    bool was_triggered = !fault.error_type.empty();
    fault.progress = progress.refused > 0 ? 1.0 : progress.share;
    if (progress.refused > 0) {
      fault.message = OomText(progress.refusal);
      fault.error_type = ErrorType(progress.refusal);
    }
    if (!progress.failure.ok()) {
      fault.state = FaultState::kFailed;
      fault.message = {fmt::format("서버와 연결이 끊겼습니다: {}", progress.failure.message()),
                       fmt::format("The connection broke: {}", progress.failure.message())};
    }
    bool worth_telling = static_cast<int>(fault.progress * 50) != shown_before ||
                         was_triggered != !fault.error_type.empty() || fault.state == FaultState::kFailed;
    if (!worth_telling) return;
    copy = fault;
  }
  Publish(copy);
}

Result<Answer> Session::ManyConnections(const Target& target, int64_t count, bool confirmed) {
  ASSIGN_OR_RETURN(std::unique_ptr<resp::Client> client, Open(target));
  int64_t held = static_cast<int64_t>(held_.size());
  ASSIGN_OR_RETURN(ServerState state, ReadServerState(*client, 0, held));
  if (auto refusal = CheckState(state, FaultKind::kManyConnections, confirmed)) return Refused(std::move(*refusal));
  RETURN_IF_ERROR(Note());
  // The limit speaks of all that we may hold; this connection is one of them for the moment.
  int64_t most = LimitsOf(state, held).many_connections_max.value_or(1000) + 1;
  int64_t wanted = std::min(count, most);
  std::string refusal;
  held_.push_back(std::move(client));
  while (static_cast<int64_t>(held_.size()) < wanted && refusal.empty()) {
    Result<std::unique_ptr<resp::Client>> next = Open(target);
    if (next.ok()) {
      held_.push_back(std::move(*next));
    } else {
      refusal = next.status().message();
    }
  }
  Fault copy;
  {
    std::lock_guard lock(mu_);
    Fault& fault = Begin(FaultKind::kManyConnections);
    fault.progress = 1;
    bool capped = wanted < count;
    fault.message = {
        fmt::format("연결 {}개를 열어 두었습니다{}", held_.size(), capped ? " (maxclients의 5%는 비워 둡니다)" : ""),
        fmt::format("Holding {} connections{}", held_.size(), capped ? " (5 % of maxclients stay free)" : "")};
    if (refusal.find("max number of clients") != std::string::npos) fault.error_type = "MAXCLIENTS";
    copy = fault;
  }
  Publish(copy);
  std::string status = copy.error_type.empty() ? "started" : "error_triggered";
  return Done({status, copy.message, copy.error_type, instance_, copy});
}

// A server whose SLOWLOG is off, or set too high to see the query, gets a useful threshold for the while.
Status Session::RaiseSlowlog(resp::Client& client, double seconds) {
  constexpr const char* kName = "slowlog-log-slower-than";
  ASSIGN_OR_RETURN(resp::Reply reply, client.Command({"CONFIG", "GET", kName}));
  if (reply.elements().size() != 2) return base::OkStatus();  // CONFIG is denied: leave it
  int64_t threshold_us = reply.elements()[1].integer();
  if (threshold_us >= 0 && static_cast<double>(threshold_us) <= seconds * 500'000) return base::OkStatus();
  std::string wanted = std::to_string(std::min(kSlowlogThresholdUs, static_cast<int64_t>(seconds * 500'000)));
  changed_config_.try_emplace(kName, reply.elements()[1].text(), wanted);
  RETURN_IF_ERROR(Note());  // before the change, so that a kill in between loses nothing
  ASSIGN_OR_RETURN(resp::Reply set, client.Command({"CONFIG", "SET", kName, wanted}));
  if (set.IsError()) changed_config_.erase(kName);
  return base::OkStatus();
}

// The server listens to SCRIPT KILL once the script has run for busy-reply-threshold (5 s). Ours writes nothing, so it
// may be killed at any point.
Status Session::KillScript(const Target& target) const {
  Status last = base::DeadlineExceeded("the script did not end in time");
  for (int attempt = 0; attempt < kKillAttempts; ++attempt) {
    Result<std::unique_ptr<resp::Client>> client = Open(target);
    if (!client.ok()) continue;
    Result<resp::Reply> killed = (*client)->Command({"SCRIPT", "KILL"});
    if (!killed.ok()) continue;
    if (!killed->IsError() || killed->IsError("NOTBUSY")) return base::OkStatus();
    last = base::FailedPrecondition("SCRIPT KILL: " + killed->text());
  }
  return last;
}

Result<Answer> Session::SlowQuery(const Target& target, double seconds, bool confirmed) {
  seconds = std::clamp(seconds, 0.1, static_cast<double>(kSlowQueryMaxSeconds));
  ASSIGN_OR_RETURN(std::unique_ptr<resp::Client> client, Open(target));
  ASSIGN_OR_RETURN(ServerState state, ReadServerState(*client, 0, static_cast<int64_t>(held_.size())));
  if (auto refusal = CheckState(state, FaultKind::kSlowQuery, confirmed)) return Refused(std::move(*refusal));
  RETURN_IF_ERROR(RaiseSlowlog(*client, seconds));
  int64_t began_us = deps_.clock->SteadyMicros();
  std::string limit = fmt::format("{:.3f}", seconds);
  int timeout_ms = static_cast<int>(seconds * 1000) + kScriptGraceMs;
  // EVAL_RO (7.0+) lets the server itself vouch that nothing is written.
  Result<resp::Reply> reply = client->Command({"EVAL_RO", kSlowScript, "0", limit}, timeout_ms);
  if (reply.ok() && reply->IsError("ERR") && reply->text().find("unknown command") != std::string::npos) {
    reply = client->Command({"EVAL", kSlowScript, "0", limit}, timeout_ms);
  }
  if (reply.status().code() == base::StatusCode::kDeadlineExceeded) {
    RETURN_IF_ERROR(KillScript(target));  // it got too little CPU to notice its own end
  } else if (!reply.ok()) {
    return reply.status();
  } else if (reply->IsError()) {
    return base::FailedPrecondition("EVAL: " + reply->text());
  }
  double took_s = static_cast<double>(deps_.clock->SteadyMicros() - began_us) / 1e6;
  Fault copy;
  {
    std::lock_guard lock(mu_);
    Fault& fault = Begin(FaultKind::kSlowQuery);
    fault.state = FaultState::kDone;
    fault.progress = 1;
    if (changed_config_.empty()) fault.ends_at_ms.reset();  // nothing is left to take back
    fault.message = {fmt::format("Lua 루프가 서버를 {:.1f}초 동안 붙잡았습니다", took_s),
                     fmt::format("A Lua loop held the server for {:.1f} s", took_s)};
    copy = fault;
  }
  Publish(copy);
  return Done({"done", copy.message, "", instance_, copy});
}

// Gives a value back only where nobody has changed it since.
Status Session::RestoreConfig(resp::Client& client) {
  for (auto entry = changed_config_.begin(); entry != changed_config_.end();) {
    const auto& [name, values] = *entry;
    ASSIGN_OR_RETURN(resp::Reply present, client.Command({"CONFIG", "GET", name}));
    bool still_ours = present.elements().size() == 2 && present.elements()[1].text() == values.second;
    if (still_ours) {
      ASSIGN_OR_RETURN(resp::Reply set, client.Command({"CONFIG", "SET", name, values.first}));
      if (set.IsError()) return base::FailedPrecondition(fmt::format("CONFIG SET {}: {}", name, set.text()));
    }
    entry = changed_config_.erase(entry);
  }
  return base::OkStatus();
}

Result<Answer> Session::Cleanup(const Target& target) {
  StopFilling();
  size_t connections = held_.size();
  held_.clear();
  ASSIGN_OR_RETURN(std::unique_ptr<resp::Client> client, Open(target));
  ASSIGN_OR_RETURN(int64_t keys, DeleteFaultKeys(*client));
  RETURN_IF_ERROR(RestoreConfig(*client));
  RETURN_IF_ERROR(deps_.journal->remove(instance_));
  std::vector<Fault> ended;
  {
    std::lock_guard lock(mu_);
    for (auto& [kind, fault] : faults_) {
      if (fault.state == FaultState::kCleaned) continue;
      fault.state = FaultState::kCleaned;
      fault.ends_at_ms.reset();
      ended.push_back(fault);
    }
  }
  for (const Fault& fault : ended) Publish(fault);
  LocalText message{fmt::format("되돌렸습니다: 키 {}개 삭제, 연결 {}개 종료", keys, connections),
                    fmt::format("Taken back: {} keys deleted, {} connections closed", keys, connections)};
  return Done({"cleaned", message, "", instance_, std::nullopt});
}

Result<Panel> Session::Describe(const Target& target) {
  Panel panel;
  panel.instance = instance_;
  panel.refusal = CheckGranted(target);
  {
    std::lock_guard lock(mu_);
    for (const auto& [kind, fault] : faults_) panel.faults.push_back(fault);
  }
  if (panel.refusal) return panel;
  Result<std::unique_ptr<resp::Client>> client = Open(target);
  if (!client.ok()) return panel;  // the limits are not known while the server is away
  Result<ServerState> state = ReadServerState(**client, 0, static_cast<int64_t>(held_.size()));
  if (state.ok()) panel.limits = LimitsOf(*state, static_cast<int64_t>(held_.size()));
  return panel;
}

}  // namespace redoubt::lab
