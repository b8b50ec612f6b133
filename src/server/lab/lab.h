#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/result.h"
#include "resp/connect_options.h"

namespace redoubt::lab {

constexpr int kAutoCleanupSeconds = 300;
constexpr int kSlowQueryMaxSeconds = 5;
constexpr std::string_view kKeyPrefix = "redoubt:fault:";

// What the lab must know of an instance.
struct Target {
  std::string id;
  std::string name;
  resp::ConnectOptions connect;
  bool test_faults = false;  // granted: redoubt started it, or --allow-test-faults lists it
  int interval_ms = 5000;    // of its polls: fill-memory paces itself by it
};

enum class FaultKind { kFillMemory, kManyConnections, kSlowQuery };
std::string_view FaultKindName(FaultKind kind);  // "fill-memory", "many-connections", "slow-query"
enum class FaultState { kRunning, kDone, kFailed, kCleaned };
std::string_view FaultStateName(FaultState state);

struct Fault {
  FaultKind kind = FaultKind::kFillMemory;
  std::string instance;
  FaultState state = FaultState::kRunning;
  int64_t started_at_ms = 0;
  std::optional<int64_t> ends_at_ms;  // when it is taken back by itself
  double progress = 0;                // 0..1
  base::LocalText message;
  std::string error_type;  // "OOM", "MAXCLIENTS": the error that it provoked; empty so far
};

struct Outcome {
  std::string status;  // "started", "done", "error_triggered", "cleaned"
  base::LocalText message;
  std::string error_type;
  std::string instance;
  std::optional<Fault> fault;
};

// Why faults are refused, in both languages; `code` goes into the API's error.
struct Refusal {
  base::Status status;  // PermissionDenied, or FailedPrecondition where `confirm` would override
  std::string code;     // faults_not_allowed, no_maxmemory, foreign_keys, has_replicas, other_clients
  base::LocalText message;
};

struct Limits {
  std::optional<int64_t> fill_memory_max_mb;
  std::optional<int64_t> many_connections_max;
};

struct Panel {
  std::string instance;
  std::optional<Refusal> refusal;  // set: not allowed
  Limits limits;
  std::vector<Fault> faults;
};

// CONFIG values to give back after a kill, and the instances that hold faults.
struct Journal {
  std::function<base::Status(const std::string& instance, const base::Json& entry)> save;
  std::function<base::Status(const std::string& instance)> remove;
  std::function<base::Result<std::vector<base::Json>>()> load;
};
Journal MemoryJournal();

base::Json ToJson(const Fault& fault, base::Lang lang);
base::Json ToJson(const Outcome& outcome, base::Lang lang);  // FaultReply of the API
base::Json ToJson(const Panel& panel, base::Lang lang);

// A result, or a refusal that the API shows in the caller's language.
struct Answer {
  std::optional<Outcome> outcome;
  std::optional<Refusal> refusal;
};

// Injects faults into servers that were set apart for it, bounded, and takes them back: its keys carry a TTL and the
// prefix kKeyPrefix, its connections are its own, changed CONFIG values are journalled before they change. Every fault
// ends by itself after kAutoCleanupSeconds. Safe on many threads; every call talks to the server for a few seconds at
// most, fill-memory goes on in a thread of the lab's.
class Lab {
 public:
  struct Deps {
    const base::Clock* clock = nullptr;
    base::Logger logger;
    std::function<base::Result<Target>(const std::string& instance)> target;
    Journal journal;
    std::function<void(const Fault&)> on_change;
    int auto_cleanup_ms = kAutoCleanupSeconds * 1000;
  };

  explicit Lab(Deps deps);
  ~Lab();  // stops and cleans what this process started

  // Gives back what a killed process left: CONFIG values, keys. Does not wait for servers that are away.
  void Recover();

  // `size_mb` 0: up to maxmemory + 10 %. `confirm` is the instance's name, to go on although a condition speaks against
  // it. NotFound for an unknown instance, InvalidArgument for sizes out of bounds.
  base::Result<Answer> FillMemory(const std::string& instance, int64_t size_mb, const std::string& confirm = "");
  base::Result<Answer> ManyConnections(const std::string& instance, int64_t count, const std::string& confirm = "");
  base::Result<Answer> SlowQuery(const std::string& instance, double seconds, const std::string& confirm = "");
  base::Result<Answer> Cleanup(const std::string& instance);
  base::Result<Panel> Describe(const std::string& instance);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::lab
