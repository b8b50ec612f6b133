#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "search/aggregate_plan.h"

namespace redoubt::search {

// The names that the steps of an aggregation use, and where their values come from. Adds columns and LOAD steps to the
// plan as names are asked for. At most 1024 columns in a stage.
class AggregateColumns {
 public:
  AggregateColumns(const IndexDefinition& definition, AggregatePlan& plan);

  // Of a name that is known by now: an earlier step's, in the first stage also a field of the index, the distance,
  // `__key`, and after LOAD * anything. Adds what it takes to fill it. Nothing for an unknown name.
  Result<std::optional<size_t>> Find(std::string_view name);
  // For a result of a step: the column of that name in this stage, a new one if there is none.
  Result<size_t> FindOrAdd(std::string_view name);

  Status Load(std::string_view name, std::string_view alias);
  void LoadEverything();
  // After GROUPBY: these names and nothing else.
  void BeginStage(std::vector<std::string> names);

 private:
  std::vector<std::string>& names() { return plan_.stages.back(); }
  bool in_first_stage() const { return plan_.stages.size() == 1; }
  // Fills `column` with what `name` stands for; false when it stands for nothing but a field of the hash.
  bool FillFromIndex(std::string_view name, size_t column, bool as_written);
  void FillFromHash(std::string_view path, size_t column);
  LoadStep& CurrentLoad();

  const IndexDefinition& definition_;
  AggregatePlan& plan_;
  std::map<std::string, size_t, std::less<>> by_name_;  // of this stage
  std::optional<size_t> load_everything_;               // position of that step
};

}  // namespace redoubt::search
