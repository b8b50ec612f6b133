#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "module/ft/ft_module.h"
#include "module/ft/index_report.h"

namespace redoubt::ft {

// What all shards say of an index.
struct ShardReports {
  IndexReport sum;
  std::vector<std::string> missing;  // "10.0.0.7:6379: why": those that did not answer
};

// Asks all shards for their part of FT.INFO; `reply` on the main thread, when all have answered or a second has passed.
void InfoOfShards(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry,
                  const std::vector<cluster::Shard>& shards,
                  std::function<void(host::Context&, const ShardReports&)> reply);

// FT.TAGVALS over all shards: replies with the tags of any, in order, or names a shard that did not answer.
void TagsOfShards(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry, std::string_view field,
                  const std::vector<cluster::Shard>& shards);

// For a name that this node does not know: replies MOVED when it is the alias of an index with a hash tag on another
// shard, else with `unknown`.
void LookForAlias(FtModule& ft, host::Context& ctx, std::string_view name, std::string unknown,
                  const std::vector<cluster::Shard>& shards);

// Lets this node answer those of others.
void ServeShardInfo(FtModule& ft);

}  // namespace redoubt::ft
