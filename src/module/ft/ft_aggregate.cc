#include <fmt/core.h>

#include <utility>

#include "module/ft/aggregate_job.h"
#include "module/ft/ft_module.h"
#include "module/ft/shard_aggregate.h"
#include "search/aggregate_request.h"

namespace redoubt::ft {

base::Status FtAggregate(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  base::Result<Shards::Place> place = ft.PlaceOf(ctx, args);
  if (!place.ok()) return ReplyFtError(ctx, place.status());
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ft.ReplyUnknown(ctx, args[1], fmt::format("{}: no such index", args[1]));
  if (base::Status allowed = ft.CheckMayRead(ctx, *entry); !allowed.ok()) return ReplyFtError(ctx, allowed);
  if (base::Status ready = ft.CheckMaySearch(); !ready.ok()) return ReplyFtError(ctx, ready);
  base::Result<search::AggregatePlan> plan =
      search::PlanAggregate(Words(args, 2), entry->definition(), AggregateDefaultsOf(ft.settings()));
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  if (base::Status room = ft.cursors().CheckRoom(entry); plan->cursor && !room.ok()) return ReplyFtError(ctx, room);
  ++ft.searches;
  ++entry->searches;
  entry->Use();
  if (!place->here) return AggregateShards(ft, ctx, Words(args, 2), entry, std::move(*plan), place->shards);
  auto job = std::make_unique<AggregateJob>(ft, std::move(entry), std::move(*plan), ft.CallerOf(ctx));
  if (ctx.CanBlock()) {
    AggregateJob::Start(ctx, std::move(job));
  } else {
    job->RunInPlace(ctx);
    job->Reply(ctx);
  }
  return base::OkStatus();
}

search::AggregateDefaults AggregateDefaultsOf(const Settings& settings) {
  search::AggregateDefaults defaults;
  defaults.timeout_ms = settings.timeout_ms;
  defaults.dialect = settings.default_dialect;
  defaults.parts = settings.parts();
  if (settings.max_aggregate_results >= 0) defaults.max_rows = static_cast<size_t>(settings.max_aggregate_results);
  return defaults;
}

}  // namespace redoubt::ft
