#include <fmt/core.h>

#include <utility>

#include "base/clock.h"
#include "module/ft/aggregate_job.h"
#include "module/ft/ft_module.h"
#include "module/ft/measure_candidates.h"
#include "module/ft/profile_reply.h"
#include "module/ft/search_reply.h"
#include "search/aggregate_request.h"

namespace redoubt::ft {
namespace {

int64_t Now() { return base::SystemClock().SteadyMicros(); }

// One search, alone: not together with others that wait, so that the times are its own.
class ProfiledSearch final : public host::Completion {
 public:
  ProfiledSearch(FtModule& ft, std::shared_ptr<IndexEntry> entry, search::SearchPlan plan, host::Caller caller,
                 QueryProfile profile)
      : ft_(ft),
        live_(entry->live),
        definition_(entry->definition()),
        plan_(std::move(plan)),
        caller_(std::move(caller)),
        profile_(std::move(profile)) {}

  void Run() {
    const int64_t begin = Now();
    auto stop = [&] { return ft_.stopping() || (plan_.timeout_ms > 0 && Now() - begin > plan_.timeout_ms * 1000); };
    const search::SearchTask task = {&plan_, stop, nullptr, &profile_.search};
    outcome_ = std::move(live_->SearchMany({&task, 1})[0]);
    profile_.search_us = Now() - begin;
    profile_.found = outcome_.total;
    profile_.timed_out = outcome_.timed_out;
    profile_.vectors = live_->Stats().documents;
    profile_.steps.push_back({"Index", outcome_.total, profile_.search_us});
    if (plan_.sort != search::SortKind::kNone) profile_.steps.push_back({"Sorter", outcome_.documents.size(), 0});
  }

  void Reply(host::Context& ctx) override {
    const int64_t begin = Now();
    MeasureCandidates(ctx, plan_, outcome_);
    ReplyResultsStart(ctx);
    ReplySearch(ctx, caller_, plan_, outcome_);
    profile_.steps.push_back({plan_.no_content ? "Keys" : "Loader", outcome_.documents.size(), Now() - begin});
    profile_.total_us = profile_.parsing_us + profile_.search_us + (Now() - begin);
    ReplyProfile(ctx, profile_, plan_.query, definition_);
  }

 private:
  FtModule& ft_;
  const std::shared_ptr<search::LiveIndex> live_;
  const search::IndexDefinition definition_;
  const search::SearchPlan plan_;
  const host::Caller caller_;
  QueryProfile profile_;
  search::SearchOutcome outcome_;
};

base::Status ProfileSearch(FtModule& ft, host::Context& ctx, std::shared_ptr<IndexEntry> entry,
                           std::span<const std::string_view> words, QueryProfile profile) {
  const int64_t begin = Now();
  base::Result<search::SearchPlan> plan =
      search::PlanSearch(words, entry->definition(), SearchDefaultsOf(ft.settings()));
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  profile.parsing_us = Now() - begin;
  auto job =
      std::make_unique<ProfiledSearch>(ft, std::move(entry), std::move(*plan), ft.CallerOf(ctx), std::move(profile));
  ProfiledSearch* running = job.get();
  if (!ctx.CanBlock()) {
    running->Run();
    running->Reply(ctx);
    return base::OkStatus();
  }
  host::BlockedClient* client = host::BlockedClient::Block(ctx, std::move(job));
  (void)ft.RunOnReader([running, client] {
    running->Run();
    client->Unblock();
  });
  return base::OkStatus();
}

base::Status ProfileAggregate(FtModule& ft, host::Context& ctx, std::shared_ptr<IndexEntry> entry,
                              std::span<const std::string_view> words, QueryProfile profile) {
  const int64_t begin = Now();
  base::Result<search::AggregatePlan> plan =
      search::PlanAggregate(words, entry->definition(), AggregateDefaultsOf(ft.settings()));
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  profile.parsing_us = Now() - begin;
  auto job = std::make_unique<AggregateJob>(ft, std::move(entry), std::move(*plan), ft.CallerOf(ctx));
  job->set_profile(std::move(profile));
  if (ctx.CanBlock()) {
    AggregateJob::Start(ctx, std::move(job));
  } else {
    job->RunInPlace(ctx);
    job->Reply(ctx);
  }
  return base::OkStatus();
}

}  // namespace

// FT.PROFILE index SEARCH|AGGREGATE [LIMITED] QUERY query [options]
base::Status FtProfile(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 5) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ReplyFtError(ctx, base::NotFound(fmt::format("{}: no such index", args[1])));
  const bool searches = args.Is(2, "SEARCH");
  if (!searches && !args.Is(2, "AGGREGATE")) {
    return ReplyFtError(ctx, base::InvalidArgument("No `SEARCH` or `AGGREGATE` provided"));
  }
  QueryProfile profile;
  profile.limited = args.Is(3, "LIMITED");
  const size_t query = profile.limited ? 4 : 3;
  if (!args.Is(query, "QUERY")) return ReplyFtError(ctx, base::InvalidArgument("The QUERY keyword is expected"));
  if (base::Status ready = ft.CheckMaySearch(); !ready.ok()) return ReplyFtError(ctx, ready);
  const std::vector<std::string_view> words = Words(args, query + 1);
  auto run = searches ? &ProfileSearch : &ProfileAggregate;
  return run(ft, ctx, std::move(entry), words, std::move(profile));
}

}  // namespace redoubt::ft
