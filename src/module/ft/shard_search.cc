#include "module/ft/shard_search.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "base/clock.h"
#include "module/ft/local_search.h"
#include "module/ft/outcome_wire.h"
#include "module/ft/profiled_search.h"
#include "module/ft/search_reply.h"
#include "module/ft/shard_question.h"
#include "module/host/blocked_client.h"
#include "search/merge.h"

namespace redoubt::ft {
namespace {

using cluster::NodeLink;
using cluster::Question;

// A search under way on several shards.
class ShardedSearch final : public host::Completion {
 public:
  ShardedSearch(search::SearchPlan plan, host::Caller caller, bool fail_on_timeout, size_t shards, bool profiled)
      : begin_us_(base::SystemClock().SteadyMicros()),
        plan_(std::move(plan)),
        caller_(std::move(caller)),
        fail_on_timeout_(fail_on_timeout),
        profiled_(profiled),
        waiting_(shards) {}
  void set_client(host::BlockedClient* client) { client_ = client; }

  void AddAnswer(const std::string& address, const base::Result<std::string>& answer) {
    if (!answer.ok()) return Add(address, answer.status(), {});
    base::Result<ShardAnswer> parts = SplitAnswer(*answer);
    if (!parts.ok()) return Add(address, parts.status(), {});
    Add(address, DecodeOutcome(parts->found), std::string(parts->tape));
  }

  void Add(const std::string& address, base::Result<search::SearchOutcome> found, std::string tape) {
    tapes_.push_back({address, std::move(tape)});
    if (found.ok()) {
      found_.push_back(std::move(*found));
    } else if (found.status().code() == base::StatusCode::kDeadlineExceeded) {
      found_.emplace_back().timed_out = true;
    } else if (error_.ok()) {
      error_ = ShardError(address, "search", found.status());
    }
    if (--waiting_ == 0) client_->Unblock();
  }

  void Reply(host::Context& ctx) override {
    if (!error_.ok()) {
      (void)ReplyFtError(ctx, error_);
      return;
    }
    const search::SearchOutcome merged = search::MergeOutcomes(plan_, std::move(found_));
    if (merged.timed_out && fail_on_timeout_) {
      (void)ReplyFtError(ctx, base::DeadlineExceeded("Timeout limit was reached"));
      return;
    }
    if (profiled_) ReplyResultsStart(ctx);
    ReplySearch(ctx, caller_, plan_, merged);
    if (profiled_) ReplyShardProfiles(ctx, tapes_, begin_us_);
  }

 private:
  const int64_t begin_us_;
  const search::SearchPlan plan_;
  const host::Caller caller_;
  const bool fail_on_timeout_;
  const bool profiled_;
  host::BlockedClient* client_ = nullptr;
  size_t waiting_;
  std::vector<search::SearchOutcome> found_;
  std::vector<ShardTape> tapes_;
  base::Status error_;
};

base::Status AnswerProfiled(FtModule& ft, const IndexEntry& entry, std::shared_ptr<const search::SearchPlan> plan,
                            const ShardProfile& asked, int64_t parsing_us, const NodeLink::Done& answer) {
  QueryProfile profile;
  profile.limited = asked.limited;
  profile.parsing_us = parsing_us;
  auto search = std::make_shared<ProfiledSearch>(ft, entry, std::move(plan), std::move(profile));
  return RunProfiledSearch(ft, search, [search, resp3 = asked.resp3, answer] {
    host::Context ctx = host::EffectsContext::InDatabase(0);
    search->ReadRest(ctx, true);
    search->NoteReply();
    answer(JoinAnswer(search->Tape(resp3), EncodeOutcome(search->outcome())));
  });
}

// `own`: this node asked, so it can read the fields when it replies.
base::Status AnswerSearch(FtModule& ft, std::string_view body, bool own, const NodeLink::Done& answer) {
  const int64_t begin = base::SystemClock().SteadyMicros();
  ASSIGN_OR_RETURN(ShardRequest request, ShardRequest::Decode(body));
  const std::shared_ptr<IndexEntry> entry = ft.indexes().Find(request.index);
  if (entry == nullptr) return base::NotFound(fmt::format("{}: no such index", request.index));
  ASSIGN_OR_RETURN(search::SearchPlan plan,
                   search::PlanSearch(request.words, entry->definition(), request.SearchDefaults()));
  search::MakeShardPlan(plan);
  entry->Use();
  auto shown = std::make_shared<const search::SearchPlan>(std::move(plan));
  if (request.profile.wanted) {
    return AnswerProfiled(ft, *entry, shown, request.profile, base::SystemClock().SteadyMicros() - begin, answer);
  }
  // So that the node that asked need not ask again for the fields.
  return RunLocalSearch(ft, *entry, shown, !own, [shown, answer](const search::SearchOutcome& outcome) {
    answer(JoinAnswer({}, EncodeOutcome(outcome)));
  });
}

}  // namespace

base::Status SearchShards(FtModule& ft, host::Context& ctx, std::span<const std::string_view> words,
                          const std::shared_ptr<IndexEntry>& entry, search::SearchPlan plan,
                          const std::vector<cluster::Shard>& shards, ShardProfile profile) {
  const int64_t timeout_ms = PatienceMillis(plan.timeout_ms, plan.offset + plan.limit);
  const search::SearchDefaults defaults = SearchDefaultsOf(ft.settings());
  ShardRequest request;
  request.index = entry->definition().name;
  request.timeout_ms = defaults.timeout_ms;
  request.dialect = defaults.dialect;
  request.parts = defaults.parts;
  request.most = defaults.max_results;
  request.words.assign(words.begin(), words.end());
  request.profile = profile;
  const std::string body = request.Encode();
  auto search = std::make_unique<ShardedSearch>(std::move(plan), ft.CallerOf(ctx), ft.settings().fail_on_timeout,
                                                shards.size(), profile.wanted);
  ShardedSearch& gathered = *search;
  gathered.set_client(host::BlockedClient::Block(ctx, std::move(search)));
  for (const cluster::Shard& shard : shards) {
    auto add = [&gathered, address = shard.address](const base::Result<std::string>& answer) {
      gathered.AddAnswer(address, answer);
    };
    if (!shard.is_self) {
      AskShard(ft, shard, Question::kSearch, body, timeout_ms, entry, add);
    } else if (base::Status status = AnswerSearch(ft, body, true, add); !status.ok()) {
      add(std::move(status));
    }
  }
  return base::OkStatus();
}

void ServeShardSearches(FtModule& ft) {
  ft.shards()->link().Serve(Question::kSearch, [&ft](std::string_view body, const NodeLink::Done& answer) {
    if (base::Status status = AnswerSearch(ft, body, false, answer); !status.ok()) answer(std::move(status));
  });
}

}  // namespace redoubt::ft
