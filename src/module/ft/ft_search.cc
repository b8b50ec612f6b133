#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "module/ft/ft_module.h"
#include "module/ft/search_job.h"

namespace redoubt::ft {
namespace {

// The main thread goes first when there are fewer processors than work: a search that takes a little longer hurts one
// client, a main thread that waits hurts all of them.
void LowerPriorityOnce() {
  constexpr int kNice = 5;
  static thread_local const int lowered = setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  (void)lowered;  // without the right to do so the threads are as important as any
}

base::Status RunOnReader(FtModule& ft, host::Context& ctx, const IndexEntry& entry, std::unique_ptr<SearchJob> job) {
  // Checked before the client is blocked: it would have to be released again.
  if (ft.readers().waiting() >= kSearchQueueLimit) {
    ++ft.refused_searches;
    return ReplyFtError(ctx, base::ResourceExhausted(fmt::format("ERR {} searches are waiting already: try again later",
                                                                 kSearchQueueLimit)));
  }
  SearchJob* running = job.get();
  host::BlockedClient* client = host::BlockedClient::Block(ctx, std::move(job));
  entry.queue->Add(running, client);
  // Only the main thread adds to the pool, so it has room: it refuses only while the server ends.
  (void)ft.readers().TrySubmit([queue = entry.queue, index = entry.live] {
    LowerPriorityOnce();
    queue->RunSome(*index);
  });
  return base::OkStatus();
}

base::Status RunInPlace(host::Context& ctx, const IndexEntry& entry, SearchJob& job) {
  search::SearchTask task = job.Task();
  job.set_outcome(entry.live->Search(*task.plan, std::move(task.stop)));
  job.Reply(ctx);
  return base::OkStatus();
}

}  // namespace

base::Status FtSearch(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ReplyFtError(ctx, base::NotFound(fmt::format("{}: no such index", args[1])));
  if (ft.stopping()) return ReplyFtError(ctx, base::Unavailable("ERR the server is shutting down"));
  base::Result<search::SearchPlan> plan = search::PlanSearch(Words(args, 2), entry->definition());
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  ++ft.searches;
  ++entry->searches;
  auto job = std::make_unique<SearchJob>(ft, std::move(*plan), host::Caller::Of(ctx));
  if (ctx.CanBlock()) return RunOnReader(ft, ctx, *entry, std::move(job));
  return RunInPlace(ctx, *entry, *job);
}

}  // namespace redoubt::ft
