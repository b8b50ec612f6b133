#pragma once

#include <cstddef>

#include "search/field_index.h"
#include "search/query.h"
#include "search/search_request.h"

namespace redoubt::search {

// What a search will take, told from sizes alone: for who has to decide where it runs. Borrows the fields; needs what
// reading them needs.
class SearchCost {
 public:
  // Ids of documents are below `bound`.
  SearchCost(const FieldIndexes& fields, size_t bound) : fields_(fields), bound_(bound) {}

  // Whether the search takes no longer than it takes to hand it to another thread and back, some 100 us: one over
  // few documents, or a walk of a graph.
  bool IsShort(const SearchPlan& plan) const;

 private:
  // At most so many documents pass, and so many ids are looked at to tell which.
  struct Estimate {
    size_t passing = 0;
    size_t looked_at = 0;
  };

  Estimate OfFilter(const FilterNode& node) const;
  Estimate OfChildren(const FilterNode& node) const;
  size_t OfWalk(const KnnClause& knn) const;

  const FieldIndexes& fields_;
  const size_t bound_;
};

}  // namespace redoubt::search
