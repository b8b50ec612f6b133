#include "module/ft/register_ft.h"

#include <utility>

#include "module/ft/definitions_rdb.h"
#include "module/ft/ft_module.h"
#include "module/ft/keyspace.h"
#include "module/ft/shard_aggregate.h"
#include "module/ft/shard_info.h"
#include "module/ft/shard_search.h"
#include "module/host/command.h"

namespace redoubt::ft {
namespace {

using host::Command;

constexpr const char* kSince = "0.1.0";

const Command kCommands[] = {
    {.name = "ft.search",
     .flags = "readonly",
     .function = &host::Entry<&FtSearch>,
     .arity = -3,
     .summary = "Searches an index: tags, numbers, and the nearest vectors",
     .complexity = "O(N) for a KNN over N vectors that pass the filter",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft.aggregate",
     .flags = "readonly",
     .function = &host::Entry<&FtAggregate>,
     .arity = -3,
     .summary = "Groups, reduces, computes and sorts what a search finds",
     .complexity = "O(N) for N documents that match",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft.cursor",
     .flags = "readonly",
     .function = &host::Entry<&FtCursor>,
     .arity = -4,
     .summary = "Reads on in the rows of an FT.AGGREGATE, or gives them up",
     .complexity = "O(N) for N rows",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft.create",
     .flags = "write deny-oom",
     .function = &host::Entry<&FtCreate>,
     .arity = -4,
     .summary = "Creates an index over hashes",
     .complexity = "O(1); existing keys are indexed in the background",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft.dropindex",
     .flags = "write",
     .function = &host::Entry<&FtDropIndex>,
     .arity = -2,
     .summary = "Drops an index, with DD also its documents",
     .complexity = "O(1); O(N) with DD for N documents",
     .since = kSince,
     .acl_categories = "write dangerous"},
    {.name = "ft._createifnx",
     .flags = "write deny-oom",
     .function = &host::Entry<&FtCreate>,
     .arity = -4,
     .summary = "Creates an index unless there is one of that name",
     .complexity = "O(1); existing keys are indexed in the background",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft._dropindexifx",
     .flags = "write",
     .function = &host::Entry<&FtDropIndex>,
     .arity = -2,
     .summary = "Drops an index if there is one of that name",
     .complexity = "O(1); O(N) with DD for N documents",
     .since = kSince,
     .acl_categories = "write dangerous"},
    {.name = "ft.alter",
     .flags = "write deny-oom",
     .function = &host::Entry<&FtAlter>,
     .arity = -6,
     .summary = "Adds fields to an index",
     .complexity = "O(1); existing keys are indexed again in the background",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft._alterifnx",
     .flags = "write deny-oom",
     .function = &host::Entry<&FtAlter>,
     .arity = -6,
     .summary = "Adds fields to an index unless it has them",
     .complexity = "O(1); existing keys are indexed again in the background",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft.aliasadd",
     .flags = "write deny-oom",
     .function = &host::Entry<&FtAlias>,
     .arity = 3,
     .summary = "Gives an index another name",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft._aliasaddifnx",
     .flags = "write deny-oom",
     .function = &host::Entry<&FtAlias>,
     .arity = 3,
     .summary = "Gives an index another name unless that is taken",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft.aliasupdate",
     .flags = "write deny-oom",
     .function = &host::Entry<&FtAlias>,
     .arity = 3,
     .summary = "Gives an index another name, taking it from the one that has it",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft.aliasdel",
     .flags = "write",
     .function = &host::Entry<&FtAlias>,
     .arity = 2,
     .summary = "Takes away a second name of an index",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft._aliasdelifx",
     .flags = "write",
     .function = &host::Entry<&FtAlias>,
     .arity = 2,
     .summary = "Takes away a second name of an index if there is one",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "write"},
    {.name = "ft.config",
     .flags = "admin",
     .function = &host::Entry<&FtConfig>,
     .arity = -3,
     .summary = "Shows and changes what holds for all searches",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "admin dangerous"},
    {.name = "ft.explain",
     .flags = "readonly",
     .function = &host::Entry<&FtExplain>,
     .arity = -3,
     .summary = "Shows how a query is understood",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft.explaincli",
     .flags = "readonly",
     .function = &host::Entry<&FtExplain>,
     .arity = -3,
     .summary = "Shows how a query is understood, line by line",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft.profile",
     .flags = "readonly",
     .function = &host::Entry<&FtProfile>,
     .arity = -5,
     .summary = "Runs a search or an aggregation and shows what it took",
     .complexity = "That of FT.SEARCH or FT.AGGREGATE",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft.debug",
     .flags = "readonly admin",
     .function = &host::Entry<&FtDebug>,
     .arity = -3,
     .summary = "Measures the recall of a graph and shows its health",
     .complexity = "O(S*N) for a sample of S among N vectors",
     .since = kSince,
     .acl_categories = "admin dangerous"},
    {.name = "ft.tagvals",
     .flags = "readonly",
     .function = &host::Entry<&FtTagVals>,
     .arity = 3,
     .summary = "Lists the tags of a field",
     .complexity = "O(N log N) for N tags",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft.info",
     .flags = "readonly",
     .function = &host::Entry<&FtInfo>,
     .arity = 2,
     .summary = "Shows the definition, size and state of an index",
     .complexity = "O(1)",
     .since = kSince,
     .acl_categories = "read"},
    {.name = "ft._list",
     .flags = "readonly",
     .function = &host::Entry<&FtList>,
     .arity = 1,
     .summary = "Lists the names of all indexes",
     .complexity = "O(N) for N indexes",
     .since = kSince,
     .acl_categories = "read"},
};

}  // namespace

base::Status RegisterFt(host::Context& on_load, base::MemoryResource& memory, base::Logger logger) {
  RETURN_IF_ERROR(RegisterDefinitionsType(on_load));
  if (base::Status first = host::RegisterCommand(on_load, kCommands[0]); !first.ok()) {
    logger.Warning("FT.* comes from another module of this server, so this one offers AI.* only ({})", first.message());
    return base::OkStatus();
  }
  // Never destroyed: the server calls into it until the process ends.
  host::StateOf<FtModule>::value = new FtModule(memory, logger);
  if (cluster::Topology::IsCluster(on_load)) {
    host::StateOf<FtModule>::value->JoinCluster(cluster::NodeLink::Create(on_load));
    ServeShardSearches(*host::StateOf<FtModule>::value);
    ServeShardAggregates(*host::StateOf<FtModule>::value);
    ServeShardInfo(*host::StateOf<FtModule>::value);
  }
  for (size_t i = 1; i < std::size(kCommands); ++i) RETURN_IF_ERROR(host::RegisterCommand(on_load, kCommands[i]));
  return SubscribeToKeyspace(on_load);
}

void StopFt() {
  if (FtModule* ft = host::StateOf<FtModule>::value) ft->Stop();
}

void AddFtInfo(RedisModuleInfoCtx* info) {
  FtModule* ft = host::StateOf<FtModule>::value;
  if (ft == nullptr || RedisModule_InfoAddSection(info, "ft") != REDISMODULE_OK) return;
  size_t documents = 0;
  size_t bytes = 0;
  size_t queued = 0;
  size_t queued_bytes = 0;
  uint64_t restarted = 0;  // of indexes that are there
  size_t staged = 0;
  for (const auto& [name, entry] : ft->indexes()) {
    queued += entry->live->queued();
    queued_bytes += entry->live->queued_bytes();
    restarted += entry->live->restarted_searches();
    search::IndexStats stats = entry->live->Stats();
    documents += stats.documents;
    staged += stats.staged_vectors;
    bytes += stats.total_bytes();
  }
  auto add = [&](const char* name, uint64_t value) { RedisModule_InfoAddFieldULongLong(info, name, value); };
  add("indexes", ft->indexes().size());
  add("documents", documents);
  add("index_bytes", bytes);
  add("queued_changes", queued);
  add("queued_bytes", queued_bytes);
  add("restarted_searches", restarted);
  add("staged_vectors", staged);
  add("waiting_searches", ft->readers().waiting());
  add("searches", ft->searches);
  add("refused_searches", ft->refused_searches);
  add("key_events", ft->key_events);
  add("longest_key_event_us", static_cast<uint64_t>(ft->longest_event_us));
  add("longest_scan_slice_us", static_cast<uint64_t>(ft->longest_scan_slice_us));
  add("cursors", ft->cursors().size());
  add("cursor_bytes", ft->cursors().bytes());
  add("longest_load_slice_us", static_cast<uint64_t>(ft->loader().longest_slice_us()));
  add("graphs_loaded", ft->graphs_of_files.loaded);
  add("graphs_refused", ft->graphs_of_files.refused);
  add("definitions_lost_on_aof_rewrite", ft->definitions_lost_on_aof_rewrite ? 1 : 0);
}

}  // namespace redoubt::ft
