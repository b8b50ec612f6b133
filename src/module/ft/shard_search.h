#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "module/ft/ft_module.h"
#include "module/ft/shard_request.h"
#include "module/host/context.h"

namespace redoubt::ft {

// FT.SEARCH over all shards: each searches its own keys and reads the fields to be shown; this node merges what they
// found. A shard that does not answer within the search's time is left out and the reply says so; one that refuses or
// cannot be reached makes the whole search an error that names it. `plan` is that of `words`, the command's after the
// index. Replies, now or later, as FT.PROFILE where a profile is wanted.
base::Status SearchShards(FtModule& ft, host::Context& ctx, std::span<const std::string_view> words,
                          const std::shared_ptr<IndexEntry>& entry, search::SearchPlan plan,
                          const std::vector<cluster::Shard>& shards, ShardProfile profile = {});

// Lets this node answer the searches of others.
void ServeShardSearches(FtModule& ft);

}  // namespace redoubt::ft
