#pragma once

#include <memory>

#include "module/ft/ft_module.h"
#include "module/host/args.h"
#include "module/host/context.h"

namespace redoubt::ft {

// FT.SEARCH over all shards: each searches its own keys and reads the fields to be shown; this node merges what they
// found. A shard that does not answer within the search's time is left out and the reply says so; one that refuses or
// cannot be reached makes the whole search an error that names it. Replies, now or later.
base::Status SearchShards(FtModule& ft, host::Context& ctx, const host::Args& args,
                          const std::shared_ptr<IndexEntry>& entry, search::SearchPlan plan,
                          std::vector<cluster::Shard> shards);

// Lets this node answer the searches of others.
void ServeShardSearches(FtModule& ft);

}  // namespace redoubt::ft
