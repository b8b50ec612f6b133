#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "module/ft/aggregate_result.h"
#include "module/ft/field_loader.h"
#include "module/ft/index_registry.h"
#include "module/ft/profile_reply.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"
#include "search/aggregate.h"

namespace redoubt::ft {

class FtModule;

// One aggregation on its way: planned on the main thread; documents found and steps run by a reader thread; fields of
// the hashes read on the main thread, a slice at a time (FieldLoader); answered on the main thread.
class AggregateJob final : public host::Completion, public KeyReading {
 public:
  AggregateJob(FtModule& ft, std::shared_ptr<IndexEntry> entry, search::AggregatePlan plan, host::Caller caller);

  // Gives `job` a thread and its client an answer later.
  static void Start(host::Context& ctx, std::unique_ptr<AggregateJob> job);
  // The same for another node: `done` on the main thread, with the rows as EncodeRows() has them and, of a profiled
  // job, the profile. Either as a ShardAnswer.
  static void StartForNode(std::unique_ptr<AggregateJob> job, bool resp3,
                           std::function<void(base::Result<std::string>)> done);
  // All of it here and now, for transactions and scripts.
  void RunInPlace(host::Context& ctx);

  // The fields that the rows need now.
  bool LoadSome(host::Context& effects, int64_t until_us) override;
  void ContinueOnReader() override;

  // Before the start: notes what is done, and replies as FT.PROFILE does.
  void set_profile(QueryProfile profile) { profile_ = std::move(profile); }

  void Reply(host::Context& ctx) override;

 private:
  enum class Phase { kSearching, kMeasuring, kCheckingKeys, kRunning };

  void Continue();  // on a reader thread
  // Until fields are needed (true) or the end.
  bool RunUntilFieldsAreNeeded();
  void Search(const search::AggregateRun::Stop& stop);
  // The candidates of a graph with the vectors in their keys; as LoadSome().
  bool MeasureSome(host::Context& effects, int64_t until_us);
  void TakeFound();
  base::Result<std::string> Answer(const search::IndexDefinition& definition, bool resp3);
  void FinishProfile(bool timed_out);
  void ReplyProfiled(host::Context& ctx, AggregateResult& result);
  // Once, after the end.
  base::Result<AggregateResult> TakeRows();
  bool OutOfTime() const;
  base::Status LoadRow(host::Context& effects, search::AggregateRow& row, bool& gone);
  base::Status CheckKey(const std::string& key, RedisModuleString* name) const;

  FtModule& ft_;
  const std::shared_ptr<IndexEntry> entry_;
  const host::Caller caller_;
  const bool checks_keys_;  // the caller may not read every key there is
  const search::AggregatePlan plan_;
  const int64_t begin_us_;
  std::function<void()> end_;    // on the thread that did the last of the work; the job may be gone afterwards
  search::SearchOutcome found_;  // until its candidates are measured
  search::AggregateRun run_;
  Phase phase_ = Phase::kSearching;
  size_t next_row_ = 0;   // that LoadSome() reads
  size_t kept_rows_ = 0;  // of those before
  size_t loaded_bytes_ = 0;
  size_t row_bytes_ = 0;  // at the end, for a cursor
  base::Status error_;
  std::optional<QueryProfile> profile_;
};

// Replies to an FT.AGGREGATE, with a cursor where the plan asks for one. Main thread.
void ReplyAggregate(FtModule& ft, host::Context& ctx, const std::shared_ptr<IndexEntry>& entry, const std::string& user,
                    const std::optional<search::CursorOptions>& cursor, base::Result<AggregateResult> result);

}  // namespace redoubt::ft
