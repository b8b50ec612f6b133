#include "search/aggregate_split.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace redoubt::search {
namespace {

bool IsLoad(const AggregateStep& step) { return std::holds_alternative<LoadStep>(step); }
bool IsGroup(const AggregateStep& step) { return std::holds_alternative<GroupStep>(step); }

bool LooksAtOneRow(const AggregateStep& step) {
  return IsLoad(step) || std::holds_alternative<ApplyStep>(step) || std::holds_alternative<FilterStep>(step);
}

// How many of the first steps the shards run as they are.
size_t CountShardSteps(const AggregatePlan& plan) {
  const bool knn = plan.search.query.knn.has_value();
  const auto end = std::find_if(plan.steps.begin(), plan.steps.end(),
                                [&](const AggregateStep& step) { return knn ? !IsLoad(step) : !LooksAtOneRow(step); });
  return static_cast<size_t>(end - plan.steps.begin());
}

// The rows of a KNN carry their distance in one more column, the last of the first stage.
void AddDistance(AggregatePlan& plan) {
  if (!plan.search.query.knn) return;
  plan.sources.push_back({ColumnSource::Kind::kDistance, plan.stages[0].size(), 0});
  plan.stages[0].emplace_back();
}

// A shard's part of the step after those that look at one row.
AggregateStep PartOf(AggregateStep step) {
  if (auto* group = std::get_if<GroupStep>(&step)) group->part = GroupStep::Part::kStates;
  if (auto* limit = std::get_if<LimitStep>(&step)) *limit = {0, limit->offset + limit->count};
  return step;
}

Status CheckNotOverwritten(const AggregatePlan& plan, const LoadStep& load, const std::vector<size_t>& applied) {
  for (const LoadStep::Source& field : load.fields) {
    if (std::find(applied.begin(), applied.end(), field.column) == applied.end()) continue;
    return base::Unimplemented(
        fmt::format("ERR `{}` is the result of an APPLY and then of a LOAD, which shards cannot do in that order: use "
                    "another name",
                    plan.stages[0][field.column]));
  }
  return base::OkStatus();
}

// Takes the LOADs out of the steps from `begin` to the first GROUPBY.
Result<std::vector<AggregateStep>> TakeLoads(AggregatePlan& plan, size_t begin) {
  std::vector<AggregateStep> loads;
  std::vector<AggregateStep> others;
  std::vector<size_t> applied;
  bool first_stage = true;
  for (size_t i = begin; i < plan.steps.size(); ++i) {
    AggregateStep& step = plan.steps[i];
    first_stage = first_stage && !IsGroup(step);
    if (const auto* load = std::get_if<LoadStep>(&step); load != nullptr && first_stage) {
      RETURN_IF_ERROR(CheckNotOverwritten(plan, *load, applied));
      loads.push_back(std::move(step));
      continue;
    }
    if (const auto* apply = std::get_if<ApplyStep>(&step)) applied.push_back(apply->column);
    others.push_back(std::move(step));
  }
  plan.steps.resize(begin);
  std::move(others.begin(), others.end(), std::back_inserter(plan.steps));
  return loads;
}

size_t GroupWidth(const GroupStep& group) { return group.keys.size() + group.reducers.size(); }

}  // namespace

Status MakeShardAggregate(AggregatePlan& plan) {
  const size_t alone = CountShardSteps(plan);
  ASSIGN_OR_RETURN(std::vector<AggregateStep> loads, TakeLoads(plan, alone));
  AddDistance(plan);
  const bool has_part = !plan.search.query.knn && alone < plan.steps.size();
  plan.steps.resize(alone + (has_part ? 1 : 0));
  const GroupStep* group = has_part ? std::get_if<GroupStep>(&plan.steps.back()) : nullptr;
  plan.stages.resize(group != nullptr ? 2 : 1);
  if (group != nullptr) plan.stages[1].resize(GroupWidth(*group));
  if (has_part) plan.steps.back() = PartOf(std::move(plan.steps.back()));
  std::move(loads.begin(), loads.end(), std::back_inserter(plan.steps));
  plan.cursor.reset();
  return base::OkStatus();
}

Status MakeRestOfAggregate(AggregatePlan& plan) {
  const size_t alone = CountShardSteps(plan);
  RETURN_IF_ERROR(TakeLoads(plan, alone).status());
  AddDistance(plan);
  plan.steps.erase(plan.steps.begin(), plan.steps.begin() + static_cast<ptrdiff_t>(alone));
  if (plan.steps.empty() || plan.search.query.knn) return base::OkStatus();
  if (auto* sort = std::get_if<SortStep>(&plan.steps[0])) sort->merges = true;
  if (auto* group = std::get_if<GroupStep>(&plan.steps[0])) {
    group->part = GroupStep::Part::kMerge;
    plan.stages[0] = plan.stages[1];
    plan.stages[0].resize(GroupWidth(*group));
  }
  return base::OkStatus();
}

const std::vector<std::string>& ShardColumns(const AggregatePlan& shard) { return shard.stages.back(); }

size_t KeepNearest(const AggregatePlan& rest, size_t total, std::vector<AggregateRow>& rows) {
  if (!rest.search.query.knn) return total;
  auto distance = [](const AggregateRow& row) {
    const double* number = row.values.empty() ? nullptr : row.values.back().number();
    return number == nullptr ? std::numeric_limits<double>::infinity() : *number;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const AggregateRow& a, const AggregateRow& b) { return distance(a) < distance(b); });
  rows.resize(std::min(rows.size(), rest.search.query.knn->k));
  for (AggregateRow& row : rows) row.values.back() = Value();  // not shown
  return std::min(total, rest.search.query.knn->k);
}

}  // namespace redoubt::search
