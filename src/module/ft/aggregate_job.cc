#include "module/ft/aggregate_job.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <random>
#include <utility>

#include "base/clock.h"
#include "module/ft/aggregate_wire.h"
#include "module/ft/document_reader.h"
#include "module/ft/ft_module.h"
#include "module/ft/hash_reader.h"
#include "module/ft/measure_candidates.h"
#include "module/ft/shard_request.h"
#include "module/host/key.h"
#include "search/rank.h"

namespace redoubt::ft {
namespace {

constexpr size_t kMaxLoadedBytes = size_t{1} << 30;

search::AggregatePlan WithKeysIf(bool needed, search::AggregatePlan plan) {
  plan.search.with_keys = plan.search.with_keys || needed;
  return plan;
}

}  // namespace

AggregateJob::AggregateJob(FtModule& ft, std::shared_ptr<IndexEntry> entry, search::AggregatePlan plan,
                           host::Caller caller)
    : ft_(ft),
      entry_(std::move(entry)),
      caller_(std::move(caller)),
      checks_keys_(!caller_.MayReadEveryKey()),
      plan_(WithKeysIf(checks_keys_, std::move(plan))),
      begin_us_(base::SystemClock().SteadyMicros()),
      run_(plan_, std::random_device()()) {}

bool AggregateJob::OutOfTime() const {
  return plan_.search.timeout_ms > 0 && base::SystemClock().SteadyMicros() - begin_us_ > plan_.search.timeout_ms * 1000;
}

void AggregateJob::Start(host::Context& ctx, std::unique_ptr<AggregateJob> job) {
  AggregateJob* running = job.get();
  running->end_ = [client = host::BlockedClient::Block(ctx, std::move(job))] { client->Unblock(); };
  running->ContinueOnReader();
}

void AggregateJob::StartForNode(std::unique_ptr<AggregateJob> job, bool resp3,
                                std::function<void(base::Result<std::string>)> done) {
  struct Ended {
    std::unique_ptr<AggregateJob> job;
    std::function<void(base::Result<std::string>)> done;
    base::Result<std::string> answer;
  };
  AggregateJob* running = job.release();
  // Where the definition may be read, for the profile.
  const search::IndexDefinition definition = running->entry_->definition();
  running->end_ = [running, resp3, done = std::move(done), definition] {
    auto* ended = new Ended{std::unique_ptr<AggregateJob>(running), done, running->Answer(definition, resp3)};
    auto on_main_thread = [](void* self) {
      std::unique_ptr<Ended> of(static_cast<Ended*>(self));
      of->done(std::move(of->answer));
    };
    RedisModule_EventLoopAddOneShot(on_main_thread, ended);
  };
  running->ContinueOnReader();
}

base::Result<std::string> AggregateJob::Answer(const search::IndexDefinition& definition, bool resp3) {
  ASSIGN_OR_RETURN(AggregateResult result, TakeRows());
  ASSIGN_OR_RETURN(std::string rows, EncodeRows(result));
  if (!profile_) return JoinAnswer({}, rows);
  FinishProfile(result.timed_out);
  return JoinAnswer(ProfileTape(*profile_, plan_.search.query, definition, resp3), rows);
}

void AggregateJob::ContinueOnReader() {
  // Refused only while the server ends: then nobody waits for the answer.
  (void)ft_.RunOnReader([this] { Continue(); });
}

void AggregateJob::Continue() {
  if (RunUntilFieldsAreNeeded()) {
    ft_.loader().Add(this);
  } else {
    end_();
  }
}

void AggregateJob::RunInPlace(host::Context& ctx) {
  while (RunUntilFieldsAreNeeded()) LoadSome(ctx, INT64_MAX);
}

void AggregateJob::Search(const search::AggregateRun::Stop& stop) {
  const search::SearchTask task = {&plan_.search, stop, nullptr, profile_ ? &profile_->search : nullptr};
  found_ = std::move(entry_->live->SearchMany({&task, 1})[0]);
  if (profile_) profile_->search_us = base::SystemClock().SteadyMicros() - begin_us_;
}

bool AggregateJob::MeasureSome(host::Context& effects, int64_t until_us) {
  constexpr size_t kBetweenLooks = 16;
  KeyMeasure measure(effects, *plan_.search.query.knn);
  std::vector<search::FoundDocument>& documents = found_.documents;
  while (next_row_ < documents.size()) {
    const std::optional<double> distance = measure(documents[next_row_]);
    documents[next_row_].distance = distance.value_or(std::nan(""));
    if (++next_row_ % kBetweenLooks != 0) continue;
    if (OutOfTime()) {  // the others stay at the distances of their codes
      found_.timed_out = true;
      break;
    }
    if (base::SystemClock().SteadyMicros() >= until_us && next_row_ < documents.size()) return false;
  }
  next_row_ = 0;
  std::erase_if(documents, [](const search::FoundDocument& document) { return std::isnan(document.distance); });
  std::stable_sort(documents.begin(), documents.end(),
                   [](const auto& a, const auto& b) { return a.distance < b.distance; });
  return true;
}

void AggregateJob::TakeFound() {
  search::RankCandidates(
      plan_.search, [](const auto& document) { return document.distance; }, found_);
  run_.TakeDocuments(std::move(found_));
  if (!profile_) return;
  profile_->found = run_.total();
  profile_->vectors = entry_->live->Stats().documents;
  profile_->steps.push_back({"Index", run_.rows().size(), profile_->search_us});
}

bool AggregateJob::RunUntilFieldsAreNeeded() {
  auto stop = [this] { return ft_.stopping() || OutOfTime(); };
  try {
    if (!error_.ok()) return false;
    if (phase_ == Phase::kSearching) {
      Search(stop);
      phase_ = Phase::kMeasuring;
      if (found_.candidates && !found_.documents.empty()) return true;
    }
    if (phase_ == Phase::kMeasuring) {
      TakeFound();
      phase_ = checks_keys_ ? Phase::kCheckingKeys : Phase::kRunning;
      if (checks_keys_) return true;
    }
    phase_ = Phase::kRunning;
    base::Result<search::AggregateRun::State> state = run_.Advance(stop);
    if (state.ok() && *state == search::AggregateRun::State::kNeedsFields) return true;
    error_ = state.status();
    if (plan_.cursor) row_bytes_ = search::MemoryBytes(run_.rows());
  } catch (const std::bad_alloc&) {
    error_ = base::ResourceExhausted("OOM not enough memory for this aggregation");
  }
  return false;
}

bool AggregateJob::LoadSome(host::Context& effects, int64_t until_us) {
  if (phase_ == Phase::kMeasuring) return MeasureSome(effects, until_us);
  constexpr size_t kRowsBetweenLooks = 16;
  std::vector<search::AggregateRow>& rows = run_.rows();
  for (; next_row_ < rows.size() && error_.ok(); ++next_row_) {
    if (next_row_ % kRowsBetweenLooks == 0 && OutOfTime()) {
      run_.set_timed_out();
      break;
    }
    bool gone = false;
    error_ = LoadRow(effects, rows[next_row_], gone);
    if (!gone && kept_rows_ != next_row_) rows[kept_rows_] = std::move(rows[next_row_]);
    kept_rows_ += gone ? 0 : 1;
    if (next_row_ % kRowsBetweenLooks == 0 && base::SystemClock().SteadyMicros() >= until_us) {
      ++next_row_;
      if (next_row_ < rows.size()) return false;
      break;
    }
  }
  rows.resize(kept_rows_);
  next_row_ = 0;
  kept_rows_ = 0;
  return true;
}

base::Status AggregateJob::CheckKey(const std::string& key, RedisModuleString* name) const {
  if (caller_.MayUseKey(name, REDISMODULE_CMD_KEY_ACCESS)) return base::OkStatus();
  return base::PermissionDenied(
      fmt::format("NOPERM user {} may not read the key '{}', which the search found", caller_.user(), key));
}

base::Status AggregateJob::LoadRow(host::Context& effects, search::AggregateRow& row, bool& gone) {
  host::String name(row.key);
  if (phase_ == Phase::kCheckingKeys) return CheckKey(row.key, name.raw());
  size_t bytes = 0;
  gone = !ReadRow(effects, name.raw(), run_.load(), row, bytes);
  loaded_bytes_ += bytes;
  if (loaded_bytes_ <= kMaxLoadedBytes) return base::OkStatus();
  return base::ResourceExhausted("LOAD brings more than 1 GiB: put a FILTER or LIMIT before it");
}

base::Result<AggregateResult> AggregateJob::TakeRows() {
  if (!error_.ok()) return error_;
  AggregateResult result;
  result.names = run_.names();
  result.rows = std::move(run_.rows());
  result.total = run_.total();
  result.timed_out = run_.timed_out();
  result.bytes = row_bytes_;
  return result;
}

void AggregateJob::FinishProfile(bool timed_out) {
  for (const search::StepProfile& step : run_.profile()) profile_->steps.push_back({step.name, step.rows, step.micros});
  profile_->timed_out = timed_out;
  profile_->total_us = profile_->parsing_us + base::SystemClock().SteadyMicros() - begin_us_;
}

void AggregateJob::ReplyProfiled(host::Context& ctx, AggregateResult& result) {
  ReplyResultsStart(ctx);
  ReplyRows(ctx, result, SIZE_MAX);
  FinishProfile(result.timed_out);
  ReplyProfile(ctx, *profile_, plan_.search.query, entry_->definition());
}

void AggregateJob::Reply(host::Context& ctx) {
  base::Result<AggregateResult> result = TakeRows();
  const bool fails = result.ok() && result->timed_out && ft_.settings().fail_on_timeout;
  if (profile_ && result.ok() && !fails) return ReplyProfiled(ctx, *result);
  ReplyAggregate(ft_, ctx, entry_, caller_.user(), plan_.cursor, std::move(result));
}

void ReplyAggregate(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry, const std::string& user,
                    const std::optional<search::CursorOptions>& options, base::Result<AggregateResult> result) {
  base::Status error = result.status();
  if (error.ok() && result->timed_out && ft.settings().fail_on_timeout) {
    error = base::DeadlineExceeded("Timeout limit was reached");
  }
  const bool goes_on = error.ok() && options && result->rows.size() > options->count;
  if (goes_on) error = ft.cursors().MakeRoom(entry, result->bytes, static_cast<size_t>(ft.settings().cursor_max_bytes));
  if (!error.ok()) {
    (void)ReplyFtError(ctx, error);
    return;
  }
  if (!options) return ReplyRows(ctx, *result, SIZE_MAX);
  ctx.ReplyArray(2);
  ReplyRows(ctx, *result, options->count);
  if (result->done()) return ctx.ReplyInteger(0);
  auto cursor = std::make_unique<Cursor>();
  cursor->index = entry;
  cursor->user = user;
  cursor->result = std::move(*result);
  cursor->count = options->count;
  const int64_t most_ms = ft.settings().cursor_max_idle_ms;
  cursor->max_idle_ms = options->max_idle_ms > 0 ? std::min(options->max_idle_ms, most_ms) : most_ms;
  ctx.ReplyInteger(ft.cursors().Add(std::move(cursor)));
}

}  // namespace redoubt::ft
