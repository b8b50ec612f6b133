#include "module/ft/shard_aggregate.h"

#include <fmt/core.h>

#include <iterator>
#include <new>
#include <random>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "module/cluster/wire.h"
#include "module/ft/aggregate_job.h"
#include "module/ft/aggregate_wire.h"
#include "module/ft/shard_question.h"
#include "module/host/blocked_client.h"
#include "search/aggregate_split.h"

namespace redoubt::ft {
namespace {

using cluster::NodeLink;
using cluster::Question;

// `user`: whose rights a shard has to look at; nobody's when every key may be read.
std::string Body(std::string_view index, const std::string& user, std::span<const std::string_view> words,
                 const search::AggregateDefaults& defaults) {
  cluster::WireWriter body;
  body.Text(index);
  body.Text(user);
  body.Number(static_cast<uint64_t>(defaults.timeout_ms));
  body.Number(static_cast<uint64_t>(defaults.dialect));
  body.Number(defaults.max_rows);
  body.Number(words.size());
  for (std::string_view word : words) body.Text(word);
  return body.Take();
}

// An aggregation under way on several shards.
class ShardedAggregate final : public host::Completion {
 public:
  ShardedAggregate(FtModule& ft, std::shared_ptr<IndexEntry> entry, search::AggregatePlan rest, std::string user,
                   size_t shards)
      : ft_(ft),
        entry_(std::move(entry)),
        rest_(std::move(rest)),
        user_(std::move(user)),
        run_(rest_, std::random_device()()),
        waiting_(shards) {}
  void set_client(host::BlockedClient* client) { client_ = client; }

  // Main thread.
  void Add(const std::string& address, base::Result<std::string> rows) {
    if (rows.ok()) {
      answers_.emplace_back(address, std::move(*rows));
    } else if (rows.status().code() == base::StatusCode::kDeadlineExceeded) {
      timed_out_ = true;
    } else if (error_.ok()) {
      error_ = ShardError(address, "aggregate", rows.status());
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
      ASSIGN_OR_RETURN(AggregateResult part, DecodeRows(bytes));
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
    return run_.Advance(stop).status();
  }

  FtModule& ft_;
  const std::shared_ptr<IndexEntry> entry_;
  const search::AggregatePlan rest_;
  const std::string user_;
  host::BlockedClient* client_ = nullptr;
  search::AggregateRun run_;
  // Of the main thread until all have answered, then of the reader's.
  size_t waiting_;
  std::vector<std::pair<std::string, std::string>> answers_;  // address and rows
  bool timed_out_ = false;
  base::Status error_;
};

base::Status AnswerAggregate(FtModule& ft, std::string_view body, const NodeLink::Done& answer) {
  cluster::WireReader reader(body);
  ASSIGN_OR_RETURN(std::string_view name, reader.Text());
  ASSIGN_OR_RETURN(std::string_view user, reader.Text());
  search::AggregateDefaults defaults;  // of the node that was asked
  ASSIGN_OR_RETURN(uint64_t timeout_ms, reader.Number());
  ASSIGN_OR_RETURN(uint64_t dialect, reader.Number());
  ASSIGN_OR_RETURN(defaults.max_rows, reader.Number());
  defaults.timeout_ms = static_cast<int64_t>(timeout_ms);
  defaults.dialect = static_cast<int>(dialect);
  ASSIGN_OR_RETURN(size_t count, reader.Count(sizeof(uint64_t)));
  std::vector<std::string_view> words;
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string_view word, reader.Text());
    words.push_back(word);
  }
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(name);
  if (entry == nullptr) return base::NotFound(fmt::format("{}: no such index", name));
  RETURN_IF_ERROR(ft.CheckMaySearch());
  ASSIGN_OR_RETURN(search::AggregatePlan plan, search::PlanAggregate(words, entry->definition(), defaults));
  RETURN_IF_ERROR(search::MakeShardAggregate(plan));
  auto job =
      std::make_unique<AggregateJob>(ft, std::move(entry), std::move(plan), host::Caller::Named(std::string(user)));
  AggregateJob::StartForNode(std::move(job), [answer](base::Result<std::string> rows) {
    // NotFound would mean that the index is not here.
    const bool no_value = rows.status().code() == base::StatusCode::kNotFound;
    answer(no_value ? base::InvalidArgument(rows.status().message()) : std::move(rows));
  });
  return base::OkStatus();
}

}  // namespace

base::Status AggregateShards(FtModule& ft, host::Context& ctx, const host::Args& args,
                             const std::shared_ptr<IndexEntry>& entry, search::AggregatePlan plan,
                             std::vector<cluster::Shard> shards) {
  if (base::Status rest = search::MakeRestOfAggregate(plan); !rest.ok()) return ReplyFtError(ctx, rest);
  const int64_t timeout_ms = PatienceMillis(plan.search.timeout_ms);
  const host::Caller caller = ft.CallerOf(ctx);
  const std::string body = Body(entry->definition().name, caller.MayUseEveryKey() ? std::string() : caller.user(),
                                Words(args, 2), AggregateDefaultsOf(ft.settings()));
  auto aggregate = std::make_unique<ShardedAggregate>(ft, entry, std::move(plan), caller.user(), shards.size());
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
