#pragma once

#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "search/aggregate_plan.h"
#include "search/index.h"

namespace redoubt::search {

struct AggregateRow {
  std::string key;  // of the document, where the plan needs keys; empty after GROUPBY
  Values values;    // by column
  std::vector<std::pair<std::string, std::string>> extra;  // what LOAD * brought beside the columns
};

// What rows take in memory, about.
size_t MemoryBytes(const std::vector<AggregateRow>& rows);

// What one step of a run took.
struct StepProfile {
  std::string name;
  size_t rows = 0;  // after it
  int64_t micros = 0;
};

// One aggregation on its way: rows go through the steps of a plan until fields of the hashes are needed, which somebody
// else reads, and then on. One thread at a time.
class AggregateRun {
 public:
  enum class State { kDone, kNeedsFields };
  // Asked now and then; true ends the run with what there is by then.
  using Stop = std::function<bool()>;

  // `plan` outlives the run. `seed` is of RANDOM_SAMPLE.
  AggregateRun(const AggregatePlan& plan, uint64_t seed) : plan_(plan), random_(seed) {}

  // Makes a row of each document that plan.search found. First call.
  void TakeDocuments(SearchOutcome outcome);
  // Or, of a plan that is the rest of one over shards, takes what they made. Each row is as wide as the first stage.
  void TakeRows(std::vector<AggregateRow> rows, size_t total, bool timed_out);
  // Runs steps. kNeedsFields: fill rows() as load() says, erase those whose document is gone, and call again.
  // InvalidArgument for values that cannot be computed with, ResourceExhausted for more than a million groups.
  base::Result<State> Advance(const Stop& stop);

  const LoadStep& load() const { return std::get<LoadStep>(plan_.steps[step_]); }
  std::vector<AggregateRow>& rows() { return rows_; }
  const std::vector<std::string>& names() const { return plan_.stages[stage_]; }
  size_t total() const { return total_; }  // rows before the last LIMIT
  const std::vector<StepProfile>& profile() const { return profile_; }
  bool timed_out() const { return timed_out_; }
  void set_timed_out() { timed_out_ = true; }

 private:
  size_t width() const { return plan_.stages[stage_].size(); }
  Status Run(const AggregateStep& step, const Stop& stop);
  Status Apply(const ApplyStep& step, const Stop& stop);
  Status Filter(const FilterStep& step, const Stop& stop);
  Status Group(const GroupStep& step, const Stop& stop);
  void Sort(const SortStep& step);
  void Limit(const LimitStep& step);
  // Every 1024 rows; then the rows from `row` on are not looked at any more.
  bool Stopped(const Stop& stop, size_t row);

  const AggregatePlan& plan_;
  std::mt19937_64 random_;
  std::vector<AggregateRow> rows_;
  size_t step_ = 0;
  size_t stage_ = 0;
  size_t total_ = 0;
  bool waiting_ = false;  // for the fields of the current step
  bool timed_out_ = false;
  std::vector<StepProfile> profile_;
  int64_t load_begin_us_ = 0;
};

}  // namespace redoubt::search
