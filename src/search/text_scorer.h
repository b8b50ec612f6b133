#pragma once

#include <functional>
#include <span>
#include <vector>

#include "search/document_table.h"
#include "search/field_index.h"
#include "search/filter.h"
#include "search/query.h"

namespace redoubt::search {

// How well documents fit the words of a filter: Okapi BM25 (k1 1.2, b 0.75). A word's forms count as one word; so do
// its fields, each by its WEIGHT; a document is as long as all its TEXT fields. Words under a NOT count nothing, those
// of an alternative only where it matches. Borrows what it is given.
class TextScorer {
 public:
  // `stop` as in FilterEvaluator.
  TextScorer(const DocumentTable& documents, const FieldIndexes& fields, const std::function<bool()>& stop);

  // The scores of `ids`, which are ascending and match `filter`, in their order.
  std::vector<double> Score(const FilterNode& filter, std::span<const Id> ids) const;

 private:
  class Pass;

  const DocumentTable& documents_;
  const FieldIndexes& fields_;
  const std::function<bool()>& stop_;
  double mean_length_ = 0;
};

}  // namespace redoubt::search
