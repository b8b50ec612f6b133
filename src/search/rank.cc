#include "search/rank.h"

#include <algorithm>
#include <utility>

namespace redoubt::search {

bool SortsBefore(const SearchPlan& plan, const FoundDocument& a, const FoundDocument& b) {
  const bool a_has = a.sort_key.index() != 0;
  const bool b_has = b.sort_key.index() != 0;
  if (a_has != b_has) return a_has;
  return plan.ascending ? a.sort_key < b.sort_key : b.sort_key < a.sort_key;
}

void RankCandidates(const SearchPlan& plan, const MeasureDocument& measure, SearchOutcome& outcome) {
  if (!outcome.candidates) return;
  outcome.candidates = false;
  std::vector<FoundDocument>& documents = outcome.documents;
  std::erase_if(documents, [&](FoundDocument& document) {
    const std::optional<double> distance = measure(document);
    document.distance = distance.value_or(0);
    return !distance;
  });
  std::stable_sort(documents.begin(), documents.end(),
                   [](const FoundDocument& a, const FoundDocument& b) { return a.distance < b.distance; });
  if (documents.size() > plan.query.knn->k) documents.resize(plan.query.knn->k);
  if (plan.sort != SortKind::kNone && plan.sort != SortKind::kScore) {
    if (plan.sort == SortKind::kDistance) {
      for (FoundDocument& document : documents) document.sort_key = document.distance;
    }
    std::stable_sort(documents.begin(), documents.end(),
                     [&](const FoundDocument& a, const FoundDocument& b) { return SortsBefore(plan, a, b); });
  }
  outcome.total = documents.size();
  if (documents.size() > plan.offset && documents.size() - plan.offset > plan.limit) {
    documents.resize(plan.offset + plan.limit);
  }
  documents.erase(documents.begin(),
                  documents.begin() + static_cast<ptrdiff_t>(std::min(documents.size(), plan.offset)));
}

}  // namespace redoubt::search
