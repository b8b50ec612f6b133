#pragma once

#include <functional>
#include <string>

#include "base/json_fwd.h"
#include "base/result.h"
#include "server/monitor/instances.h"

namespace redoubt::monitor {

using SealFunction = std::function<std::string(std::string_view clear)>;
using UnsealFunction = std::function<base::Result<std::string>(std::string_view sealed)>;

// The stored form of an instance. Password and private key are in it only as `seal` gave them back.
base::Json ToRecord(const InstanceConfig& config, const SealFunction& seal);
// DataLoss when a field is missing or cannot be unsealed (the key file was replaced).
base::Result<InstanceConfig> FromRecord(const base::Json& record, const UnsealFunction& unseal);

}  // namespace redoubt::monitor
