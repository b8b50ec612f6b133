#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "module/ft/aggregate_result.h"

namespace redoubt::ft {

// Bytes of rows that a shard sends at most: they share the bus with the cluster's heartbeats.
inline constexpr size_t kMaxShardRowsBytes = size_t{64} << 20;

// The rows that a shard made, as they travel to the node that asked: docs/design/ft-cluster.md. ResourceExhausted for
// more than `most` bytes. DataLoss for bytes that are no such thing, whatever they are. Any thread.
base::Result<std::string> EncodeRows(const AggregateResult& result, size_t most = kMaxShardRowsBytes);
base::Result<AggregateResult> DecodeRows(std::string_view bytes);

}  // namespace redoubt::ft
