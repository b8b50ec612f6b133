#pragma once

#include "search/document_table.h"
#include "search/field_index.h"
#include "search/query.h"

namespace redoubt::search {

// Which documents a filter lets through, by set algebra. Borrows both; safe on many threads while they do not change.
class FilterEvaluator {
 public:
  FilterEvaluator(const DocumentTable& documents, const FieldIndexes& fields)
      : documents_(documents), fields_(fields) {}

  // The node's fields are of the types that its kinds need. The bound of the set is that of the documents.
  IdSet Evaluate(const FilterNode& node) const;

 private:
  IdSet All(const FilterNode& node) const;
  IdSet Any(const FilterNode& node) const;
  IdSet AllBut(const FilterNode& node) const;

  const DocumentTable& documents_;
  const FieldIndexes& fields_;
};

}  // namespace redoubt::search
