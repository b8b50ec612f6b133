#include "search/group_table.h"

#include <fmt/core.h>

#include <utility>

namespace redoubt::search {
namespace {

constexpr size_t kMaxGroups = 1'000'000;

}  // namespace

base::Status GroupTable::Add(std::span<const Value> row) {
  if (step_.part == GroupStep::Part::kMerge) return Merge(row);
  size_t combinations = 1;
  for (const size_t key : step_.keys) {
    const auto* list = row[key].list();
    combinations *= list == nullptr || list->empty() ? 1 : list->size();
    if (combinations <= kMaxGroups) continue;
    return base::ResourceExhausted(
        fmt::format("the lists of one row make more than {} groups: GROUPBY fewer of them", kMaxGroups));
  }
  steps_ += combinations;
  Values keys;
  keys.reserve(step_.keys.size() + step_.reducers.size());
  return AddUnder(row, 0, keys);
}

base::Status GroupTable::Merge(std::span<const Value> row) {
  const size_t keys = step_.keys.size();
  ASSIGN_OR_RETURN(Group * group, FindOrAdd(Values(row.begin(), row.begin() + static_cast<ptrdiff_t>(keys))));
  for (size_t i = 0; i < group->reducers.size(); ++i) RETURN_IF_ERROR(group->reducers[i]->Merge(row[keys + i]));
  return base::OkStatus();
}

// `keys` holds the values of the first `key` keys.
base::Status GroupTable::AddUnder(std::span<const Value> row, size_t key, Values& keys) {
  if (key == step_.keys.size()) {
    ASSIGN_OR_RETURN(Group * group, FindOrAdd(keys));
    for (const auto& reducer : group->reducers) reducer->Add(row);
    return base::OkStatus();
  }
  const Value& value = row[step_.keys[key]];
  if (value.list() == nullptr || value.list()->empty()) {
    keys.push_back(value.missing() || value.list() != nullptr ? Value::Null() : value);
    RETURN_IF_ERROR(AddUnder(row, key + 1, keys));
    keys.pop_back();
    return base::OkStatus();
  }
  for (const Value& element : *value.list()) {
    keys.push_back(element);
    RETURN_IF_ERROR(AddUnder(row, key + 1, keys));
    keys.pop_back();
  }
  return base::OkStatus();
}

base::Result<GroupTable::Group*> GroupTable::FindOrAdd(const Values& keys) {
  text_.clear();
  for (const Value& key : keys) key.AppendKey(text_);
  auto [found, added] = positions_.try_emplace(text_, groups_.size());
  if (!added) return &groups_[found->second];
  if (groups_.size() == kMaxGroups) {
    return base::ResourceExhausted(fmt::format("GROUPBY makes more than {} groups: use a FILTER", kMaxGroups));
  }
  Group& group = groups_.emplace_back();
  group.keys = keys;
  for (const ReducerSpec& spec : step_.reducers) group.reducers.push_back(Reducer::Create(spec, random_));
  return &group;
}

std::vector<Values> GroupTable::Finish() {
  std::vector<Values> rows;
  rows.reserve(groups_.size());
  for (Group& group : groups_) {
    Values& row = rows.emplace_back(std::move(group.keys));
    const bool states = step_.part == GroupStep::Part::kStates;
    for (const auto& reducer : group.reducers) row.push_back(states ? reducer->State() : reducer->Finish());
  }
  groups_.clear();
  positions_.clear();
  return rows;
}

}  // namespace redoubt::search
