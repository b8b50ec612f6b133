#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "search/args.h"
#include "search/query.h"
#include "search/query_parser.h"
#include "search/schema.h"
#include "search/text_settings.h"

namespace redoubt::search {

// A field that the reply shows. For a field of the index `path` is where the hash keeps it.
struct ReturnField {
  std::string path;
  std::string name;
};

enum class SortKind { kNone, kDistance, kRangeDistance, kScore, kField };

// kBm25: by the words of the query; kDocument: the score of FT.CREATE, the same for all.
enum class Scorer { kBm25, kDocument };

// Everything a search needs, checked against one index: a value that any thread may run.
struct SearchPlan {
  Query query;
  SortKind sort = SortKind::kNone;  // kNone: by distance for KNN, else in the order of arrival; kScore: the best first
  size_t sort_field = 0;            // of kField; of kRangeDistance the position in Query::range_names
  bool ascending = true;
  size_t offset = 0;
  size_t limit = 10;
  Scorer scorer = Scorer::kBm25;
  int64_t timeout_ms = 500;  // 0: none

  // For an aggregation: fields whose values the documents found bring along, and whether their keys are wanted.
  std::vector<size_t> columns;
  bool with_keys = true;

  // What the reply looks like.
  bool no_content = false;
  bool with_scores = false;
  bool with_payloads = false;
  std::string payload_field;  // of the index; empty: none
  bool with_sort_keys = false;
  std::optional<std::vector<ReturnField>> returns;  // nothing: the whole hash

  // Whether the reply shows what documents hold.
  bool shows_keys() const { return !no_content || with_payloads; }

  // Whether anybody looks at the scores.
  bool scored() const { return query.has_text && !query.knn && (sort == SortKind::kScore || with_scores); }
};

// What holds where a request does not say.
struct SearchDefaults {
  int64_t timeout_ms = 500;
  int dialect = 1;
  size_t max_results = 1'000'000;  // of LIMIT
  WordParts parts;
};

// `args` are those of FT.SEARCH after the index: the query and its options.
Result<SearchPlan> PlanSearch(std::span<const std::string_view> args, const IndexDefinition& definition,
                              const SearchDefaults& defaults = {});

}  // namespace redoubt::search
