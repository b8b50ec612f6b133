#pragma once

#include <string>

#include "resp/client.h"
#include "server/monitor/instances.h"

namespace redoubt::monitor {

// The words for a failed connection, for both languages and for HTTP. `reason` is the client's own Status.
ConnectError ExplainConnectFailure(resp::ConnectFailure failure, const base::Status& reason,
                                   const resp::ConnectOptions& options);
ConnectError ExplainSentinel(const resp::ConnectOptions& options);

ProbeFailure ToProbeFailure(resp::ConnectFailure failure);

}  // namespace redoubt::monitor
