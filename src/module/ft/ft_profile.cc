#include <fmt/core.h>

#include <utility>

#include "base/clock.h"
#include "module/ft/aggregate_job.h"
#include "module/ft/ft_module.h"
#include "module/ft/profile_reply.h"
#include "module/ft/profiled_search.h"
#include "module/ft/search_reply.h"
#include "module/ft/shard_aggregate.h"
#include "module/ft/shard_search.h"
#include "search/aggregate_request.h"

namespace redoubt::ft {
namespace {

int64_t Now() { return base::SystemClock().SteadyMicros(); }

// For a client of this node.
class ProfiledSearchReply final : public host::Completion {
 public:
  ProfiledSearchReply(ProfiledSearch search, host::Caller caller)
      : search_(std::move(search)), caller_(std::move(caller)) {}
  ProfiledSearch& search() { return search_; }

  void Reply(host::Context& ctx) override {
    search_.ReadRest(ctx, false);
    ReplyResultsStart(ctx);
    ReplySearch(ctx, caller_, search_.plan(), search_.outcome());
    search_.NoteReply();
    search_.Reply(ctx);
  }

 private:
  ProfiledSearch search_;
  const host::Caller caller_;
};

// What FT.PROFILE asks for: an index that is on the shards of `place`, and the words of the query.
struct Asked {
  std::shared_ptr<IndexEntry> entry;
  Shards::Place place;
  std::vector<std::string_view> words;
  bool limited = false;

  ShardProfile OfShards(host::Context& ctx) const { return {true, limited, ctx.Resp3()}; }
};

base::Status Search(FtModule& ft, host::Context& ctx, const Asked& asked) {
  const int64_t begin = Now();
  base::Result<search::SearchPlan> plan =
      search::PlanSearch(asked.words, asked.entry->definition(), SearchDefaultsOf(ft.settings()));
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  if (!asked.place.here) {
    return SearchShards(ft, ctx, asked.words, asked.entry, std::move(*plan), asked.place.shards, asked.OfShards(ctx));
  }
  QueryProfile profile;
  profile.limited = asked.limited;
  profile.parsing_us = Now() - begin;
  auto job = std::make_unique<ProfiledSearchReply>(
      ProfiledSearch(ft, *asked.entry, std::make_shared<const search::SearchPlan>(std::move(*plan)),
                     std::move(profile)),
      ft.CallerOf(ctx));
  ProfiledSearchReply* running = job.get();
  if (!ctx.CanBlock()) {
    running->search().Run();
    running->Reply(ctx);
    return base::OkStatus();
  }
  host::BlockedClient* client = host::BlockedClient::Block(ctx, std::move(job));
  (void)ft.RunOnReader([running, client] {
    running->search().Run();
    running->search().ReadIfLong([client] { client->Unblock(); });
  });
  return base::OkStatus();
}

base::Status Aggregate(FtModule& ft, host::Context& ctx, const Asked& asked) {
  const int64_t begin = Now();
  base::Result<search::AggregatePlan> plan =
      search::PlanAggregate(asked.words, asked.entry->definition(), AggregateDefaultsOf(ft.settings()));
  if (!plan.ok()) return ReplyFtError(ctx, plan.status());
  if (!asked.place.here) {
    return AggregateShards(ft, ctx, asked.words, asked.entry, std::move(*plan), asked.place.shards,
                           asked.OfShards(ctx));
  }
  QueryProfile profile;
  profile.limited = asked.limited;
  profile.parsing_us = Now() - begin;
  auto job = std::make_unique<AggregateJob>(ft, asked.entry, std::move(*plan), ft.CallerOf(ctx));
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
  base::Result<Shards::Place> place = ft.PlaceOf(ctx, args);
  if (!place.ok()) return ReplyFtError(ctx, place.status());
  Asked asked{ft.indexes().Find(args[1]), std::move(*place), {}, args.Is(3, "LIMITED")};
  if (asked.entry == nullptr) return ft.ReplyUnknown(ctx, args[1], fmt::format("{}: no such index", args[1]));
  if (base::Status allowed = ft.CheckMayRead(ctx, *asked.entry); !allowed.ok()) return ReplyFtError(ctx, allowed);
  const bool searches = args.Is(2, "SEARCH");
  if (!searches && !args.Is(2, "AGGREGATE")) {
    return ReplyFtError(ctx, base::InvalidArgument("No `SEARCH` or `AGGREGATE` provided"));
  }
  const size_t query = asked.limited ? 4 : 3;
  if (!args.Is(query, "QUERY")) return ReplyFtError(ctx, base::InvalidArgument("The QUERY keyword is expected"));
  if (base::Status ready = ft.CheckMaySearch(); !ready.ok()) return ReplyFtError(ctx, ready);
  asked.words = Words(args, query + 1);
  return searches ? Search(ft, ctx, asked) : Aggregate(ft, ctx, asked);
}

}  // namespace redoubt::ft
