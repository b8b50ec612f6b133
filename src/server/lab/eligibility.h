#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "resp/client.h"
#include "server/lab/lab.h"

namespace redoubt::lab {

constexpr std::string_view kFaultClientName = "redoubt-fault";

// What decides whether a fault may be injected, read from the server.
struct ServerState {
  int64_t used_memory = 0;
  int64_t maxmemory = 0;
  std::string policy;
  bool is_replica = false;
  int64_t replicas = 0;
  int64_t foreign_keys = 0;   // without ours
  int64_t other_clients = 0;  // without redoubt's own
  int64_t connected_clients = 0;
  int64_t maxclients = 0;
};

// `own_keys` and `held_connections`: what this process knows to be its own.
base::Result<ServerState> ReadServerState(resp::Client& client, int64_t own_keys, int64_t held_connections);

// Granted at all? Independent of the server's state.
std::optional<Refusal> CheckGranted(const Target& target);
// Nothing when the fault may go on. `confirmed`: the operator typed the instance's name.
std::optional<Refusal> CheckState(const ServerState& state, FaultKind kind, bool confirmed);

Limits LimitsOf(const ServerState& state, int64_t held_connections);

}  // namespace redoubt::lab
