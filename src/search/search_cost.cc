#include "search/search_cost.h"

#include <algorithm>

#include "search/graph_field.h"
#include "search/numeric_index.h"
#include "search/tag_index.h"

namespace redoubt::search {
namespace {

// In distances of a walk, each of which waits for memory: some 0.15 us.
constexpr size_t kShort = 600;
constexpr size_t kDimOfOne = 256;
// What takes as long as one of them.
constexpr size_t kCodesInOrder = 10;
constexpr size_t kCodesPicked = 4;
constexpr size_t kDocumentsInOrder = 1;
constexpr size_t kIdsLookedAt = 10;
constexpr size_t kIdsOfEmptyBits = 4096;  // of a set that is made

// Of what can only be told by doing it.
constexpr size_t kUnknown = size_t{1} << 40;

}  // namespace

SearchCost::Estimate SearchCost::OfChildren(const FilterNode& node) const {
  const bool all = node.kind == FilterNode::Kind::kAnd;
  Estimate sum = {all ? bound_ : 0, 0};
  for (const auto& child : node.children) {
    const Estimate estimate = OfFilter(*child);
    sum.looked_at += estimate.looked_at;
    sum.passing = all ? std::min(sum.passing, estimate.passing) : sum.passing + estimate.passing;
  }
  return sum;
}

SearchCost::Estimate SearchCost::OfFilter(const FilterNode& node) const {
  const size_t set = bound_ / kIdsOfEmptyBits * kIdsLookedAt;
  switch (node.kind) {
    case FilterNode::Kind::kNumeric: {
      const size_t count = fields_[node.field]->numbers()->Estimate(node.range);
      return {count, set + count};
    }
    case FilterNode::Kind::kTag: {
      const size_t count = fields_[node.field]->tags()->Estimate(node.tags).value_or(kUnknown);
      return {count, set + count};
    }
    case FilterNode::Kind::kKeys:
      return {node.keys.size(), set + kIdsLookedAt * node.keys.size()};
    case FilterNode::Kind::kAnd:
      if (node.text != nullptr) return {kUnknown, kUnknown};
      [[fallthrough]];
    case FilterNode::Kind::kOr: {
      const Estimate children = OfChildren(node);
      return {children.passing, set + children.looked_at};
    }
    default:
      return {kUnknown, kUnknown};
  }
}

size_t SearchCost::OfWalk(const KnnClause& knn) const {
  const GraphField& field = *fields_[knn.field]->graph();
  const size_t m = field.index()->options().m;
  const size_t ef = knn.ef_runtime.value_or(0);
  if (knn.k > kShort || ef > kShort || m > kShort) return kUnknown;
  return field.Breadth(knn.k, ef) * m + field.index()->staged() / kCodesInOrder;
}

// Codes of the few that a filter lets through are read one by one; without a KNN each is taken down and put in order.
bool SearchCost::IsShort(const SearchPlan& plan) const {
  size_t each = kCodesPicked;
  size_t per_distance = 1;
  if (plan.query.knn) {
    const KnnClause& knn = *plan.query.knn;
    // Where a document may have several vectors, how often the graph is asked is not known before.
    if (!knn.graph || knn.exact || knn.several) return false;
    per_distance = std::max<size_t>(1, fields_[knn.field]->graph()->index()->options().dim / kDimOfOne);
    if (plan.query.filter->kind == FilterNode::Kind::kAll) return OfWalk(knn) * per_distance <= kShort;
    if (knn.k > kShort) return false;
  } else {
    each = kDocumentsInOrder;
  }
  const Estimate filter = OfFilter(*plan.query.filter);
  if (filter.looked_at > kShort * kIdsLookedAt || filter.passing > kShort * each) return false;
  return filter.looked_at / kIdsLookedAt + filter.passing / each * per_distance <= kShort;
}

}  // namespace redoubt::search
