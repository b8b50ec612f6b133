#pragma once

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "search/aggregate_plan.h"

namespace redoubt::search {

// The groups of one GROUPBY, in the order in which they were first seen. One thread.
class GroupTable {
 public:
  // Both outlive the table.
  GroupTable(const GroupStep& step, std::mt19937_64& random) : step_(step), random_(random) {}

  // A row belongs to the group of its keys' values; where a key is a list, to one group for each of its elements.
  // Of a step that merges, the row is a group of a shard. ResourceExhausted beyond a million groups, of
  // all rows or of one.
  base::Status Add(std::span<const Value> row);
  // How many rows were put into groups; a row counts for each of its groups.
  size_t steps() const { return steps_; }
  // Of each group the keys' values, null where there was none, and what the reducers made; then the table is empty.
  std::vector<Values> Finish();

 private:
  struct Group {
    Values keys;
    std::vector<std::unique_ptr<Reducer>> reducers;
  };

  base::Status Merge(std::span<const Value> row);
  base::Status AddUnder(std::span<const Value> row, size_t key, Values& keys);
  base::Result<Group*> FindOrAdd(const Values& keys);

  const GroupStep& step_;
  std::mt19937_64& random_;
  std::unordered_map<std::string, size_t> positions_;
  std::vector<Group> groups_;
  size_t steps_ = 0;
  std::string text_;  // of the keys; kept for its memory
};

}  // namespace redoubt::search
