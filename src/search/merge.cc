#include "search/merge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "search/rank.h"

namespace redoubt::search {
void MakeShardPlan(SearchPlan& plan) {
  const bool by_other_than_distance =
      plan.sort != SortKind::kNone && !(plan.sort == SortKind::kDistance && plan.ascending);
  if (plan.query.knn && by_other_than_distance) {
    plan.limit = plan.query.knn->k;  // which of them are among the k nearest of all shards is known after merging
  } else {
    plan.limit += plan.offset;
  }
  plan.offset = 0;
}

SearchOutcome MergeOutcomes(const SearchPlan& plan, std::vector<SearchOutcome> shards) {
  SearchOutcome merged;
  std::vector<FoundDocument>& documents = merged.documents;
  for (SearchOutcome& shard : shards) {
    merged.total += shard.total;
    merged.timed_out |= shard.timed_out;
    std::move(shard.documents.begin(), shard.documents.end(), std::back_inserter(documents));
  }
  if (plan.query.knn) {  // the k nearest of all come first, whatever they are then sorted by
    std::stable_sort(documents.begin(), documents.end(),
                     [](const FoundDocument& a, const FoundDocument& b) { return a.distance < b.distance; });
    documents.resize(std::min(documents.size(), plan.query.knn->k));
    merged.total = std::min(merged.total, plan.query.knn->k);
  } else if (plan.sort == SortKind::kScore) {
    std::stable_sort(documents.begin(), documents.end(),
                     [](const FoundDocument& a, const FoundDocument& b) { return a.score > b.score; });
  }
  if (plan.sort != SortKind::kNone && plan.sort != SortKind::kScore) {
    std::stable_sort(documents.begin(), documents.end(),
                     [&](const FoundDocument& a, const FoundDocument& b) { return SortsBefore(plan, a, b); });
  }
  documents.resize(std::min(documents.size(), plan.offset + plan.limit));
  documents.erase(documents.begin(),
                  documents.begin() + static_cast<ptrdiff_t>(std::min(documents.size(), plan.offset)));
  return merged;
}

}  // namespace redoubt::search
