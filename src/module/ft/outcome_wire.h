#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "search/index.h"

namespace redoubt::ft {

// What one shard found, as it travels to the node that asked: docs/design/ft-cluster.md. DataLoss for bytes that are
// no such thing, whatever they are.
std::string EncodeOutcome(const search::SearchOutcome& outcome);
base::Result<search::SearchOutcome> DecodeOutcome(std::string_view bytes);

}  // namespace redoubt::ft
