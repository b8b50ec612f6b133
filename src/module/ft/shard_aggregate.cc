#include "module/ft/shard_aggregate.h"

#include <fmt/core.h>

#include <iterator>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "module/ft/aggregate_job.h"
#include "module/ft/aggregate_wire.h"
#include "module/ft/profile_reply.h"
#include "module/ft/shard_question.h"
#include "module/host/blocked_client.h"
#include "search/aggregate_split.h"

namespace redoubt::ft {
namespace {

using cluster::NodeLink;
using cluster::Question;

// An aggregation under way on several shards.
class ShardedAggregate final : public host::Completion {
 public:
  ShardedAggregate(FtModule& ft, std::shared_ptr<IndexEntry> entry, search::AggregatePlan rest, std::string user,
                   size_t shards, bool profiled)
      : begin_us_(base::SystemClock().SteadyMicros()),
        profiled_(profiled),
        ft_(ft),
        entry_(std::move(entry)),
        rest_(std::move(rest)),
        user_(std::move(user)),
        run_(rest_, std::random_device()()),
        waiting_(shards) {}
  void set_client(host::BlockedClient* client) { client_ = client; }

  // Main thread.
  void Add(const std::string& address, base::Result<std::string> answer) {
    if (answer.ok()) {
      answers_.emplace_back(address, std::move(*answer));
    } else if (answer.status().code() == base::StatusCode::kDeadlineExceeded) {
      timed_out_ = true;
      tapes_.push_back({address, {}});
    } else if (error_.ok()) {
      error_ = ShardError(address, "aggregate", answer.status());
    }
    if (--waiting_ > 0) return;
    if (error_.ok() && ft_.RunOnReader([this] { Finish(); })) return;
    if (error_.ok()) error_ = base::Unavailable("ERR the server is shutting down");
    client_->Unblock();
  }

  void Reply(host::Context& ctx) override {
    if (!error_.ok()) {
      (void)ReplyFtError(ctx, error_);
      return;
    }
    AggregateResult result;
    result.names = run_.names();
    result.rows = std::move(run_.rows());
    result.total = run_.total();
    result.timed_out = run_.timed_out();
    result.bytes = row_bytes_;
    if (profiled_) {
      ReplyResultsStart(ctx);
      ReplyRows(ctx, result, SIZE_MAX);
      return ReplyShardProfiles(ctx, tapes_, begin_us_);
    }
    ReplyAggregate(ft_, ctx, entry_, user_, rest_.cursor, std::move(result));
  }

 private:
  // On a reader thread: the shards had their time, now this node has as much for the rest.
  void Finish() {
    try {
      error_ = Merge();
    } catch (const std::bad_alloc&) {
      error_ = base::ResourceExhausted("OOM not enough memory for this aggregation");
    }
    client_->Unblock();
  }

  base::Status Merge() {
    std::vector<search::AggregateRow> rows;
    size_t total = 0;
    for (auto& [address, bytes] : answers_) {
      ASSIGN_OR_RETURN(ShardAnswer answer, SplitAnswer(bytes));
      tapes_.push_back({address, std::string(answer.tape)});
      ASSIGN_OR_RETURN(AggregateResult part, DecodeRows(answer.found));
      bytes = {};
      if (part.names != rest_.stages[0]) {
        return base::FailedPrecondition(
            fmt::format("ERR the index is another one on the shard {}: compare FT.INFO of the shards", address));
      }
      total += part.total;
      timed_out_ |= part.timed_out;
      std::move(part.rows.begin(), part.rows.end(), std::back_inserter(rows));
    }
    total = search::KeepNearest(rest_, total, rows);
    run_.TakeRows(std::move(rows), total, timed_out_);
    const int64_t timeout_ms = rest_.search.timeout_ms;
    const int64_t until_us = timeout_ms > 0 ? base::SystemClock().SteadyMicros() + timeout_ms * 1000 : INT64_MAX;
    auto stop = [&] { return ft_.stopping() || base::SystemClock().SteadyMicros() > until_us; };
    const base::Status done = run_.Advance(stop).status();
    if (rest_.cursor) row_bytes_ = search::MemoryBytes(run_.rows());
    return done;
  }

  const int64_t begin_us_;
  const bool profiled_;
  FtModule& ft_;
  const std::shared_ptr<IndexEntry> entry_;
  const search::AggregatePlan rest_;
  const std::string user_;
  host::BlockedClient* client_ = nullptr;
  search::AggregateRun run_;
  // Of the main thread until all have answered, then of the reader's.
  size_t waiting_;
  std::vector<std::pair<std::string, std::string>> answers_;  // address and rows
  std::vector<ShardTape> tapes_;
  bool timed_out_ = false;
  size_t row_bytes_ = 0;  // at the end, for a cursor
  base::Status error_;
};

base::Status AnswerAggregate(FtModule& ft, std::string_view body, const NodeLink::Done& answer) {
  const int64_t begin = base::SystemClock().SteadyMicros();
  ASSIGN_OR_RETURN(ShardRequest request, ShardRequest::Decode(body));
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(request.index);
  if (entry == nullptr) return base::NotFound(fmt::format("{}: no such index", request.index));
  RETURN_IF_ERROR(ft.CheckMaySearch());
  ASSIGN_OR_RETURN(search::AggregatePlan plan,
                   search::PlanAggregate(request.words, entry->definition(), request.AggregateDefaults()));
  RETURN_IF_ERROR(search::MakeShardAggregate(plan));
  entry->Use();
  auto job = std::make_unique<AggregateJob>(ft, std::move(entry), std::move(plan),
                                            host::Caller::Named(std::string(request.user)));
  if (request.profile.wanted) {
    QueryProfile profile;
    profile.limited = request.profile.limited;
    profile.parsing_us = base::SystemClock().SteadyMicros() - begin;
    job->set_profile(std::move(profile));
  }
  AggregateJob::StartForNode(std::move(job), request.profile.resp3, [answer](base::Result<std::string> rows) {
    // NotFound would mean that the index is not here.
    const bool no_value = rows.status().code() == base::StatusCode::kNotFound;
    answer(no_value ? base::InvalidArgument(rows.status().message()) : std::move(rows));
  });
  return base::OkStatus();
}

}  // namespace

base::Status AggregateShards(FtModule& ft, host::Context& ctx, std::span<const std::string_view> words,
                             const std::shared_ptr<IndexEntry>& entry, search::AggregatePlan plan,
                             const std::vector<cluster::Shard>& shards, ShardProfile profile) {
  if (base::Status rest = search::MakeRestOfAggregate(plan); !rest.ok()) return ReplyFtError(ctx, rest);
  const int64_t timeout_ms = PatienceMillis(plan.search.timeout_ms);
  const host::Caller caller = ft.CallerOf(ctx);
  const search::AggregateDefaults defaults = AggregateDefaultsOf(ft.settings());
  ShardRequest request;
  request.index = entry->definition().name;
  if (!caller.MayReadEveryKey()) request.user = caller.user();
  request.timeout_ms = defaults.timeout_ms;
  request.dialect = defaults.dialect;
  request.parts = defaults.parts;
  request.most = defaults.max_rows;
  request.words.assign(words.begin(), words.end());
  request.profile = profile;
  const std::string body = request.Encode();
  auto aggregate =
      std::make_unique<ShardedAggregate>(ft, entry, std::move(plan), caller.user(), shards.size(), profile.wanted);
  ShardedAggregate& gathered = *aggregate;
  gathered.set_client(host::BlockedClient::Block(ctx, std::move(aggregate)));
  for (const cluster::Shard& shard : shards) {
    auto add = [&gathered, address = shard.address](base::Result<std::string> rows) {
      gathered.Add(address, std::move(rows));
    };
    if (!shard.is_self) {
      AskShard(ft, shard, Question::kAggregate, body, timeout_ms, entry, add);
    } else if (base::Status status = AnswerAggregate(ft, body, add); !status.ok()) {
      add(std::move(status));
    }
  }
  return base::OkStatus();
}

void ServeShardAggregates(FtModule& ft) {
  ft.shards()->link().Serve(Question::kAggregate, [&ft](std::string_view body, const NodeLink::Done& answer) {
    if (base::Status status = AnswerAggregate(ft, body, answer); !status.ok()) answer(std::move(status));
  });
}

}  // namespace redoubt::ft
