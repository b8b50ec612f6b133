#include "search/aggregate_columns.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace redoubt::search {
namespace {

constexpr size_t kMaxColumns = 1024;
constexpr std::string_view kKeyName = "__key";
constexpr std::string_view kScoreName = "__score";

// The index has a number exactly. Of other fields it has what they are sorted by: text in lower case, unless UNF.
bool IsInIndex(const Field& field, bool as_written) {
  if (field.type == FieldType::kNumeric) return true;
  const bool text = field.type == FieldType::kTag || field.type == FieldType::kText;
  return text && field.sortable && !field.unf && !as_written;
}

}  // namespace

AggregateColumns::AggregateColumns(const IndexDefinition& definition, AggregatePlan& plan)
    : definition_(definition), plan_(plan) {
  plan_.stages.emplace_back();
}

Result<size_t> AggregateColumns::FindOrAdd(std::string_view name) {
  if (auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  if (names().size() == kMaxColumns) return base::InvalidArgument(fmt::format("More than {} properties", kMaxColumns));
  size_t column = names().size();
  names().emplace_back(name);
  by_name_.emplace(name, column);
  return column;
}

Result<std::optional<size_t>> AggregateColumns::Find(std::string_view name) {
  if (auto found = by_name_.find(name); found != by_name_.end()) return std::optional<size_t>(found->second);
  if (!in_first_stage()) return std::optional<size_t>();
  std::optional<size_t> field = definition_.FindField(name);
  bool is_distance = plan_.search.query.knn && plan_.search.query.knn->distance_name == name;
  is_distance = is_distance || plan_.search.query.FindRange(name).has_value();
  if (!field && !is_distance && name != kKeyName && name != kScoreName && !load_everything_)
    return std::optional<size_t>();
  ASSIGN_OR_RETURN(size_t column, FindOrAdd(name));
  if (FillFromIndex(name, column, false)) return std::optional<size_t>(column);
  if (field || !load_everything_) {
    FillFromHash(definition_.fields[*field].path, column);
  } else {
    std::get<LoadStep>(plan_.steps[*load_everything_]).fields.push_back({std::string(name), column});
  }
  return std::optional<size_t>(column);
}

Status AggregateColumns::Load(std::string_view name, std::string_view alias) {
  ASSIGN_OR_RETURN(size_t column, FindOrAdd(alias));
  if (FillFromIndex(name, column, true)) return base::OkStatus();
  std::optional<size_t> field = definition_.FindField(name);
  FillFromHash(field ? std::string_view(definition_.fields[*field].path) : name, column);
  return base::OkStatus();
}

void AggregateColumns::LoadEverything() {
  CurrentLoad().everything = true;
  load_everything_ = plan_.steps.size() - 1;
}

void AggregateColumns::BeginStage(std::vector<std::string> names) {
  by_name_.clear();
  for (size_t i = 0; i < names.size(); ++i) by_name_.emplace(names[i], i);
  plan_.stages.push_back(std::move(names));
}

bool AggregateColumns::FillFromIndex(std::string_view name, size_t column, bool as_written) {
  using Kind = ColumnSource::Kind;
  if (plan_.search.query.knn && plan_.search.query.knn->distance_name == name) {
    plan_.sources.push_back({Kind::kDistance, column, 0});
    return true;
  }
  if (const std::optional<size_t> range = plan_.search.query.FindRange(name)) {
    plan_.sources.push_back({Kind::kRangeDistance, column, *range});
    return true;
  }
  std::optional<size_t> field = definition_.FindField(name);
  if (field && IsInIndex(definition_.fields[*field], as_written)) {
    plan_.sources.push_back({Kind::kIndex, column, plan_.search.columns.size()});
    plan_.search.columns.push_back(*field);
    return true;
  }
  if (!field && name == kScoreName) {
    plan_.sources.push_back({Kind::kScore, column, 0});
    plan_.search.with_scores = true;
    return true;
  }
  if (field || name != kKeyName) return false;
  plan_.sources.push_back({Kind::kKey, column, 0});
  plan_.needs_keys = true;
  return true;
}

LoadStep& AggregateColumns::CurrentLoad() {
  plan_.needs_keys = true;
  if (plan_.steps.empty() || !std::holds_alternative<LoadStep>(plan_.steps.back()))
    plan_.steps.emplace_back(LoadStep{});
  return std::get<LoadStep>(plan_.steps.back());
}

void AggregateColumns::FillFromHash(std::string_view path, size_t column) {
  CurrentLoad().fields.push_back({std::string(path), column});
}

}  // namespace redoubt::search
