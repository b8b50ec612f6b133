#include <fmt/core.h>

#include <optional>
#include <utility>

#include "module/ft/ft_module.h"
#include "module/ft/search_job.h"
#include "module/ft/shard_search.h"

namespace redoubt::ft {
namespace {

base::Status RunOnReader(FtModule& ft, host::Context& ctx, const IndexEntry& entry, std::unique_ptr<SearchJob> job) {
  SearchJob* running = job.get();
  running->set_client(host::BlockedClient::Block(ctx, std::move(job)));
  ft.RunOnReader(entry, running);
  return base::OkStatus();
}

base::Status RunInPlace(host::Context& ctx, const IndexEntry& entry, SearchJob& job) {
  search::SearchTask task = job.Task();
  job.Finish(entry.live->Search(*task.plan, std::move(task.stop)));
  job.Reply(ctx);
  return base::OkStatus();
}

// A search of 40 us by another thread costs three times as much: two threads have to be woken. True when it was done.
bool RunAtOnceIfShort(host::Context& ctx, IndexEntry& entry, SearchJob& job) {
  std::optional<search::SearchOutcome> outcome = entry.live->TryShortSearch(job.Task());
  if (!outcome) return false;
  job.Finish(std::move(*outcome));
  job.Reply(ctx);
  return true;
}

}  // namespace

base::Status FtSearch(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  base::Result<Shards::Place> place = ft.PlaceOf(ctx, args);
  if (!place.ok()) return ReplyFtError(ctx, place.status());
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ft.ReplyUnknown(ctx, args[1], fmt::format("{}: no such index", args[1]));
  if (base::Status allowed = ft.CheckMayRead(ctx, *entry); !allowed.ok()) return ReplyFtError(ctx, allowed);
  // Before the client is blocked: it would have to be released again.
  if (base::Status ready = ft.CheckMaySearch(); !ready.ok()) return ReplyFtError(ctx, ready);
  base::Result<search::SearchPlan> plan =
      search::PlanSearch(Words(args, 2), entry->definition(), SearchDefaultsOf(ft.settings()));
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  ++ft.searches;
  ++entry->searches;
  entry->Use();
  if (!place->here) return SearchShards(ft, ctx, Words(args, 2), entry, std::move(*plan), place->shards);
  auto job = std::make_unique<SearchJob>(ft, std::move(*plan), host::Caller::Of(ctx));
  if (RunAtOnceIfShort(ctx, *entry, *job)) return base::OkStatus();
  if (ctx.CanBlock()) return RunOnReader(ft, ctx, *entry, std::move(job));
  return RunInPlace(ctx, *entry, *job);
}

}  // namespace redoubt::ft
