#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "base/clock.h"
#include "module/ft/ft_module.h"
#include "module/ft/search_reply.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {
namespace {

// The main thread goes first when there are fewer processors than work: a search that takes a little longer hurts one
// client, a main thread that waits hurts all of them.
void LowerPriorityOnce() {
  constexpr int kNice = 5;
  static thread_local const int lowered = setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  (void)lowered;  // without the right to do so the threads are as important as any
}

// One search on its way: planned on the main thread, run by a reader thread, answered on the main thread.
class SearchJob final : public host::Completion {
 public:
  SearchJob(FtModule& ft, std::shared_ptr<search::LiveIndex> index, search::SearchPlan plan, host::Caller caller)
      : ft_(ft),
        index_(std::move(index)),
        plan_(std::move(plan)),
        caller_(std::move(caller)),
        begin_us_(base::SystemClock().SteadyMicros()) {}

  // Any thread.
  void Run() {
    outcome_ = index_->Search(plan_, [this] { return ft_.stopping() || OutOfTime(); });
    index_.reset();
  }

  void Reply(host::Context& ctx) override { ReplySearch(ctx, caller_, plan_, outcome_); }

 private:
  bool OutOfTime() const {
    return plan_.timeout_ms > 0 && base::SystemClock().SteadyMicros() - begin_us_ > plan_.timeout_ms * 1000;
  }

  FtModule& ft_;
  std::shared_ptr<search::LiveIndex> index_;
  const search::SearchPlan plan_;
  const host::Caller caller_;
  const int64_t begin_us_;
  search::SearchOutcome outcome_;
};

base::Status RunOnReader(FtModule& ft, host::Context& ctx, std::unique_ptr<SearchJob> job) {
  // Checked before the client is blocked: it would have to be released again.
  if (ft.readers().waiting() >= kSearchQueueLimit) {
    ++ft.refused_searches;
    return ReplyFtError(ctx, base::ResourceExhausted(fmt::format("ERR {} searches are waiting already: try again later",
                                                                 kSearchQueueLimit)));
  }
  SearchJob* running = job.get();
  host::BlockedClient* client = host::BlockedClient::Block(ctx, std::move(job));
  bool queued = ft.readers().TrySubmit([running, client] {
    LowerPriorityOnce();
    running->Run();
    client->Unblock();
  });
  if (!queued) client->Unblock();  // only the main thread adds to the queue, so this is a shutdown: an empty answer
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
  auto job = std::make_unique<SearchJob>(ft, entry->live, std::move(*plan), host::Caller::Of(ctx));
  if (ctx.CanBlock()) return RunOnReader(ft, ctx, std::move(job));
  job->Run();
  job->Reply(ctx);
  return base::OkStatus();
}

}  // namespace redoubt::ft
