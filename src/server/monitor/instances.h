#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/result.h"
#include "resp/connect_options.h"
#include "server/monitor/capability.h"
#include "server/monitor/sample.h"

namespace redoubt::monitor {

constexpr int kMinIntervalSeconds = 1;
constexpr int kMaxIntervalSeconds = 60;
constexpr int kDefaultIntervalSeconds = 5;

// A watched server as the user described it. `connect` holds secrets.
struct InstanceConfig {
  std::string id;    // "in_" + hex, made from the address by Connect() when empty
  std::string name;  // shown; "host:port" when left empty
  resp::ConnectOptions connect;
  bool test_faults = false;  // granted, not merely asked for
  bool demo = false;         // the throw-away demo server
  int interval_s = kDefaultIntervalSeconds;
  bool running = true;
};

enum class InstanceState { kIdle, kConnecting, kConnected, kUnreachable };
std::string_view InstanceStateName(InstanceState state);  // "idle", "connecting", "connected", "unreachable"

struct ServerFacts {
  std::string engine;   // "redis" or "valkey"; empty until known
  std::string version;  // the engine's own
  std::string role;     // "master" or "slave"
  std::string mode;     // "standalone", "cluster"
};

struct InstanceStatus {
  InstanceConfig config;  // without password and key
  InstanceState state = InstanceState::kIdle;
  std::string error;  // why it is unreachable, in words
  ProbeFailure failure = ProbeFailure::kNone;
  std::optional<int64_t> last_sample_at_ms;
  int effective_interval_s = 0;  // twice interval_s while the server answers slowly
  ServerFacts server;
  Capabilities capabilities;
};

// Why connecting failed, for the API's error form.
struct ConnectError {
  ProbeFailure failure = ProbeFailure::kNone;
  // redis_refused, redis_timeout, redis_unknown_host, redis_auth_required, redis_auth_failed, redis_permission_denied,
  // redis_tls_failed, redis_not_redis, redis_is_sentinel, redis_max_clients, redis_protected_mode, redis_unreachable
  std::string code;
  int http_status = 502;  // 502, 504 for timeouts, 401 for credentials, 400 for options that cannot be right
  base::LocalText message;
  base::LocalText hint;
};

struct ConnectResult {
  std::optional<ConnectError> error;  // set: not connected, nothing was kept
  std::string instance;
  std::string name;
  ServerFacts server;
  Capabilities capabilities;
};

// Where instances survive our own restart. Functions, so that this folder knows no database; passwords arrive in the
// clear and are sealed by whoever stores them (see instance_record.h). Called from any thread, one call at a time.
struct InstanceStore {
  std::function<base::Status(const InstanceConfig&)> save;
  std::function<base::Status(const std::string& id)> remove;
  std::function<base::Result<std::vector<InstanceConfig>>()> load;  // in the order they were first saved
};

// Forgets everything at exit; for tests.
InstanceStore MemoryInstanceStore();

// Watches many servers: each has one kept-open connection, its own deadline and its own place in the interval; a few
// threads (at most max_threads, more than two only while servers hang) do the polls, so that a server that hangs delays
// no other. All functions may be called from any thread; those that talk to a server say so.
class Monitor {
 public:
  struct Deps {
    const base::Clock* clock = nullptr;
    base::Logger logger;
    std::function<void(const Sample&)> sink;  // every sample, on a polling thread; samples of one instance in order
    std::function<void(const std::string& instance)> on_change;  // connected, started, stopped, removed, new state
    InstanceStore store;
    size_t max_instances = 500;
    size_t max_threads = 64;
    int config_refresh_ms = 600'000;      // CONFIG GET of the fixed list
    int client_list_spacing_ms = 60'000;  // CLIENT LIST at most this often
  };

  explicit Monitor(Deps deps);
  ~Monitor();  // stops polling and closes every connection

  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Loads the stored instances and polls those that were running. Does not wait for any server.
  base::Status Resume();

  // Connects, probes the capabilities and, when all is well, keeps the instance and starts polling; an instance at the
  // same address is replaced (its id stays). Talks to the server: takes at most the connect plus the command timeout.
  // A Status only for what is no matter of the connection: InvalidArgument, AlreadyExists (the name is taken by another
  // address), ResourceExhausted (too many instances), a failing store.
  base::Result<ConnectResult> Connect(InstanceConfig config);
  // Forgets the instance and its credentials.
  base::Status Disconnect(const std::string& id);
  // `interval_s` 1..60; 0 keeps the present one.
  base::Status Start(const std::string& id, int interval_s = 0);
  base::Status Stop(const std::string& id);

  std::vector<InstanceStatus> Instances() const;  // in the order of connecting
  std::optional<InstanceStatus> Instance(const std::string& id) const;
  // The id for an id, a name or "" (the first instance). NotFound names what there is.
  base::Result<std::string> Resolve(std::string_view id_or_name) const;

  std::optional<Sample> Last(const std::string& id) const;
  // Everything for an analysis. Talks to the server, at most two seconds; when it cannot be reached, the answer holds
  // the last sample seen with `now.reachable` false. `all_clients`: CLIENT LIST also above 5,000 clients.
  base::Result<Snapshot> Collect(const std::string& id, bool all_clients = false);

  // The settings to connect with, secrets included: for the fault lab only.
  base::Result<InstanceConfig> ConfigOf(const std::string& id) const;

  void Shutdown();  // idempotent

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::monitor
