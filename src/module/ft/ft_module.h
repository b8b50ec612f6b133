#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/fork_gate.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread_pool.h"
#include "module/ft/background_scan.h"
#include "module/ft/cursor_table.h"
#include "module/ft/field_loader.h"
#include "module/ft/graphs_rdb.h"
#include "module/ft/index_registry.h"
#include "module/ft/index_workers.h"
#include "module/ft/settings.h"
#include "module/ft/shards.h"
#include "module/ft/temporary_indexes.h"
#include "module/host/args.h"
#include "module/host/context.h"
#include "search/aggregate_request.h"

namespace redoubt::ft {

// The state of FT.*: made once in OnLoad, reached by the commands through host::StateOf. Main thread only, except
// stopping().
class FtModule {
 public:
  FtModule(base::MemoryResource& memory, base::Logger logger);

  // Makes an index and starts the scan of existing keys where `scan`. AlreadyExists for a name that is taken.
  base::Status AddIndex(search::IndexDefinition definition, bool scan);
  // Takes the index out; whoever lets go of it last has another thread free it (FreeLater). False when there is none.
  bool DropIndex(std::string_view name);
  void DropAllIndexes();
  // Adds fields to an index and, where `scan`, reads all keys again for them.
  base::Status AlterIndex(const std::shared_ptr<IndexEntry>& entry, std::vector<search::Field> fields, bool scan);
  // The keys became others (SWAPDB): empties every index and reads all keys again.
  void RescanAll();
  // The keys of a file have come: what it had of others is dropped.
  void FinishLoading();

  void Stop();
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  IndexRegistry& indexes() { return indexes_; }
  // Passed by every change of an index. Closed around each fork.
  base::ForkGate& gate() { return gate_; }
  base::ThreadPool& readers() { return readers_; }
  base::Logger& logger() { return logger_; }
  CursorTable& cursors() { return cursors_; }
  FieldLoader& loader() { return loader_; }
  Settings& settings() { return settings_; }
  const Settings& settings() const { return settings_; }

  // Unavailable while the server ends, ResourceExhausted when too many searches wait already (which is counted).
  base::Status CheckMaySearch();
  // Runs `task` on a reader thread, which goes after the main thread where processors are few. Any thread. False only
  // while the server ends, after CheckMaySearch() was asked on the main thread.
  [[nodiscard]] bool RunOnReader(std::function<void()> task);
  // The same for a search, together with others of its index.
  void RunOnReader(const IndexEntry& entry, QueuedSearch* search);
  // As RunOnReader(), from any thread, but only when a reader is idle.
  [[nodiscard]] bool RunOnIdleReader(std::function<void()> task);
  // Gives up what takes long to free, on a thread of low priority. Any thread.
  void FreeLater(std::shared_ptr<void> garbage);
  // Who sent the command.
  host::Caller CallerOf(host::Context& ctx) const { return shards_ ? shards_->CallerOf(ctx) : host::Caller::Of(ctx); }
  // Whether the sender may search: only who may read every key under the index's prefixes. Everything else, were it but
  // a count or an error, would tell of keys that are kept from him. PermissionDenied.
  base::Status CheckMayRead(host::Context& ctx, const IndexEntry& entry) const;
  // Where the index or alias `name` is, for a command that has to wait if that is not here: see Shards.
  base::Result<Shards::Place> PlaceOf(host::Context& ctx, const host::Args& args) {
    return PlaceOf(ctx, args, args[1]);
  }
  base::Result<Shards::Place> PlaceOf(host::Context& ctx, const host::Args& args, std::string_view name);
  // The same for a command that this node answers for all shards.
  base::Status CheckPlace(host::Context& ctx, std::string_view name);
  // Whether a command that changes definitions is taken care of, see Shards; else the handler does it here.
  bool SpreadDefinition(host::Context& ctx, const host::Args& args);
  // Replies `text` for a name that is no index here, or MOVED where it is an alias on another shard. Answers OK.
  base::Status ReplyUnknown(host::Context& ctx, std::string_view name, std::string text);
  // Null on a server that is no node of a cluster.
  Shards* shards() { return shards_.get(); }
  void JoinCluster(cluster::NodeLink& link) { shards_ = std::make_unique<Shards>(link); }

  // Numbers for INFO.
  uint64_t searches = 0;
  uint64_t refused_searches = 0;
  uint64_t key_events = 0;
  int64_t longest_event_us = 0;  // that a key event held the main thread
  int64_t longest_scan_slice_us = 0;
  GraphCounts graphs_of_files;
  bool definitions_lost_on_aof_rewrite = false;

 private:
  // Of the index that goes by `name` here, else the name.
  std::string NameOf(std::string_view name) const;

  base::MemoryResource& memory_;
  base::Logger logger_;
  base::ForkGate gate_;
  IndexRegistry indexes_;
  BackgroundScan scan_;
  CursorTable cursors_;
  TemporaryIndexes temporary_{*this};
  FieldLoader loader_;
  Settings settings_;
  base::ThreadPool readers_;
  std::unique_ptr<Shards> shards_;
  IndexWorkers workers_;
  std::atomic<bool> stopping_ = false;
};

// Waiting searches beyond which FT.SEARCH is refused.
inline constexpr size_t kSearchQueueLimit = 4096;

base::Status FtCreate(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtSearch(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtAggregate(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtCursor(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtAlias(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtAlter(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtConfig(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtExplain(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtDebug(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtProfile(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtTagVals(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtInfo(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtDropIndex(FtModule& ft, host::Context& ctx, host::Args args);
base::Status FtList(FtModule& ft, host::Context& ctx, host::Args args);

search::SearchDefaults SearchDefaultsOf(const Settings& settings);
search::AggregateDefaults AggregateDefaultsOf(const Settings& settings);

// FT.* errors go over the wire as RediSearch words them, without "ERR" (see error_codes.h). Always answers OK, so that
// handlers can return what this returns.
base::Status ReplyFtError(host::Context& ctx, const base::Status& error);

// The words from `first` on. Valid as long as `args`.
std::vector<std::string_view> Words(const host::Args& args, size_t first);

}  // namespace redoubt::ft
