#pragma once

#include "base/result.h"
#include "resp/client.h"
#include "server/monitor/capability.h"

namespace redoubt::monitor {

// Tries one harmless form of each command. A Status only when the connection broke meanwhile.
base::Result<Capabilities> ProbeCapabilities(resp::Client& client, std::string_view server_version);

// How a refusal is to be read; kAllowed for answers and for passing states (LOADING, BUSY, cluster switched off).
Capability::State StateOf(const resp::Reply& reply);

}  // namespace redoubt::monitor
