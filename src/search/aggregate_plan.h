#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "search/expression.h"
#include "search/reducers.h"
#include "search/search_request.h"

namespace redoubt::search {

// The steps of an FT.AGGREGATE. Columns are positions in the rows of the stage they stand in: a GROUPBY begins a new
// one.

// Fields of the hash that the rows need from here on.
struct LoadStep {
  struct Source {
    std::string path;  // in the hash
    size_t column = 0;
  };
  std::vector<Source> fields;
  bool everything = false;  // LOAD *: also all other fields, under their own names
};
struct GroupStep {
  // Over shards each makes groups of its own rows, whose reducers' states are merged: aggregate_split.h.
  enum class Part { kWhole, kStates, kMerge };
  std::vector<size_t> keys;           // become columns 0.. of the next stage
  std::vector<ReducerSpec> reducers;  // follow them
  Part part = Part::kWhole;           // kMerge: rows are what kStates made, keys and then states
};
struct SortStep {
  struct Key {
    size_t column = 0;
    bool ascending = true;
  };
  std::vector<Key> keys;
  size_t most = 0;      // rows that are kept
  bool merges = false;  // rows that shards have sorted and cut: they counted them before
};
struct ApplyStep {
  Expression expression;
  size_t column = 0;
};
struct FilterStep {
  Expression expression;
};
struct LimitStep {
  size_t offset = 0;
  size_t count = 0;
};
using AggregateStep = std::variant<LoadStep, GroupStep, SortStep, ApplyStep, FilterStep, LimitStep>;

// Where a column of the first stage comes from when it does not come from the hash.
struct ColumnSource {
  enum class Kind { kIndex, kDistance, kRangeDistance, kKey, kScore };
  Kind kind = Kind::kIndex;
  size_t column = 0;
  size_t position = 0;  // of kIndex: in FoundDocument::columns; of kRangeDistance: in range_distances
};

struct CursorOptions {
  size_t count = 1000;
  int64_t max_idle_ms = 0;  // 0: the default
};

// Everything an aggregation needs, checked against one index: a value that any thread may run.
struct AggregatePlan {
  SearchPlan search;                  // finds the documents
  std::vector<ColumnSource> sources;  // of the first stage
  std::vector<AggregateStep> steps;
  // Of each stage: the names of its columns. Each is as wide as it ever gets.
  std::vector<std::vector<std::string>> stages;
  std::optional<CursorOptions> cursor;
  bool needs_keys = false;  // a step or a column asks for the document's key
};

}  // namespace redoubt::search
