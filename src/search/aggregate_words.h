#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "search/aggregate_request.h"

namespace redoubt::search {

// REDUCE fn n words.. [AS alias]
struct ReducerWords {
  std::string_view name;
  std::span<const std::string_view> words;
  std::string_view alias;
};

// One step as it was written.
struct StepWords {
  enum class Kind { kLoad, kGroup, kSort, kApply, kFilter, kLimit };
  Kind kind = Kind::kLoad;
  std::span<const std::string_view> words;  // of LOAD, GROUPBY and SORTBY
  bool everything = false;                  // LOAD *
  std::vector<ReducerWords> reducers;
  std::string_view expression;
  std::string_view alias;  // of APPLY
  size_t offset = 0;
  size_t count = 0;  // of LIMIT; MAX of SORTBY
};

// An FT.AGGREGATE, read but not understood: names are not looked up yet, because PARAMS may come last. Borrows the
// arguments.
struct AggregateWords {
  std::string_view query;
  std::vector<StepWords> steps;
  Params params;
  TextSettings text;
  bool add_scores = false;
  int dialect = 1;
  int64_t timeout_ms = 500;
  std::optional<CursorOptions> cursor;
};

Result<AggregateWords> ReadAggregateWords(std::span<const std::string_view> args, const AggregateDefaults& defaults);

}  // namespace redoubt::search
