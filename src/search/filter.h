#pragma once

#include <functional>

#include "search/document_table.h"
#include "search/field_index.h"
#include "search/profile.h"
#include "search/query.h"
#include "search/range_distances.h"

namespace redoubt::search {

// Which documents a filter lets through, by set algebra. Borrows all; one query has one, on one thread.
class FilterEvaluator {
 public:
  // `stop` as in KnnQuery. Distances that have a name are noted in `distances`.
  FilterEvaluator(const DocumentTable& documents, const FieldIndexes& fields, const std::function<bool()>& stop,
                  RangeDistances& distances)
      : documents_(documents), fields_(fields), stop_(stop), distances_(distances) {}

  // The node's fields are of the types that its kinds need. The bound of the set is that of the documents.
  IdSet Evaluate(const FilterNode& node) const;
  // Notes each node that is evaluated; null: none.
  void set_profile(SearchProfile* profile) { profile_ = profile; }

 private:
  IdSet EvaluateNode(const FilterNode& node) const;
  IdSet All(const FilterNode& node) const;
  IdSet Any(const FilterNode& node) const;
  IdSet AllBut(const FilterNode& node) const;
  IdSet Near(const FilterNode& node) const;
  IdSet Without(const FieldIndex& field) const;
  IdSet Named(const FilterNode& node) const;

  const DocumentTable& documents_;
  const FieldIndexes& fields_;
  const std::function<bool()>& stop_;
  RangeDistances& distances_;
  SearchProfile* profile_ = nullptr;
};

}  // namespace redoubt::search
