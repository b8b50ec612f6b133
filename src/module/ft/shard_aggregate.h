#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "module/ft/ft_module.h"
#include "module/ft/shard_request.h"
#include "module/host/context.h"

namespace redoubt::ft {

// FT.AGGREGATE over all shards: each runs its part on its own documents (search/aggregate_split.h), this node merges
// their rows and runs the rest. A shard that does not answer within the time is left out and the reply says so; one
// that refuses or cannot be reached makes the whole an error that names it. `plan` is that of the command. Replies, now
// or later.
base::Status AggregateShards(FtModule& ft, host::Context& ctx, std::span<const std::string_view> words,
                             const std::shared_ptr<IndexEntry>& entry, search::AggregatePlan plan,
                             const std::vector<cluster::Shard>& shards, ShardProfile profile = {});

// Lets this node answer the aggregations of others.
void ServeShardAggregates(FtModule& ft);

}  // namespace redoubt::ft
