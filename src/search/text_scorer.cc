#include "search/text_scorer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "search/text_index.h"

namespace redoubt::search {
namespace {

constexpr double kK1 = 1.2;
constexpr double kB = 0.75;

// The postings of one word and how much each place counts.
struct WeightedList {
  const PostingList* list;
  double weight;
};

size_t CountDocuments(const std::vector<WeightedList>& lists, size_t bound) {
  if (lists.size() == 1) return lists[0].list->size();
  IdSet all(bound);
  for (const WeightedList& weighted : lists) {
    for (PostingList::Cursor cursor(*weighted.list); !cursor.done(); cursor.Next()) all.Insert(cursor.id());
  }
  return all.Count();
}

// Whether any of its words may count.
bool HasWords(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kNot) return false;
  return node.kind == FilterNode::Kind::kText ||
         std::any_of(node.children.begin(), node.children.end(), [](const auto& child) { return HasWords(*child); });
}

bool IsOneWord(const FilterNode& node) {
  return node.kind == FilterNode::Kind::kText && node.text->patterns.size() == 1;
}

}  // namespace

TextScorer::TextScorer(const DocumentTable& documents, const FieldIndexes& fields, const std::function<bool()>& stop)
    : documents_(documents), fields_(fields), stop_(stop) {
  uint64_t words = 0;
  for (const auto& field : fields) words += field->text() == nullptr ? 0 : field->text()->total_length();
  if (documents.size() > 0) mean_length_ = static_cast<double>(words) / static_cast<double>(documents.size());
}

// One call of Score(): the documents by their place in `ids`.
class TextScorer::Pass {
 public:
  Pass(const TextScorer& scorer, std::span<const Id> ids)
      : scorer_(scorer), ids_(ids), scores_(ids.size()), saturation_(ids.size()), counts_(ids.size()) {
    for (size_t i = 0; i < ids.size(); ++i) saturation_[i] = kK1 * (1 - kB + kB * RelativeLength(ids[i]));
  }

  using Places = std::vector<uint32_t>;  // ascending

  // Adds what `node` counts for the documents at `places`, which match it.
  void Add(const FilterNode& node, const Places& places) {
    switch (node.kind) {
      case FilterNode::Kind::kText:
        for (const TextPattern& pattern : node.text->patterns) AddPattern(*node.text, pattern, places);
        break;
      case FilterNode::Kind::kAnd:
        for (const auto& child : node.children) Add(*child, places);
        break;
      case FilterNode::Kind::kOr:
      case FilterNode::Kind::kOptional:
        for (const auto& child : node.children) AddAlternative(*child, places);
        break;
      default:
        break;
    }
  }
  std::vector<double> Take() { return std::move(scores_); }

 private:
  // `node` need not match all of the documents.
  void AddAlternative(const FilterNode& node, const Places& places) {
    if (!HasWords(node)) return;
    // Who does not have the word is not in its lists either.
    IsOneWord(node) ? Add(node, places) : Add(node, Matching(node, places));
  }

  double RelativeLength(Id id) const {
    uint64_t words = 0;
    for (const auto& field : scorer_.fields_) words += field->text() == nullptr ? 0 : field->text()->Length(id);
    return scorer_.mean_length_ > 0 ? static_cast<double>(words) / scorer_.mean_length_ : 0;
  }

  Places Matching(const FilterNode& node, const Places& places) const {
    RangeDistances unused;
    const IdSet set = FilterEvaluator(scorer_.documents_, scorer_.fields_, scorer_.stop_, unused).Evaluate(node);
    Places matching;
    for (uint32_t place : places) {
      if (set.Contains(ids_[place])) matching.push_back(place);
    }
    return matching;
  }

  void AddPattern(const TextClause& clause, const TextPattern& pattern, const Places& places) {
    std::vector<WeightedList> lists;
    for (size_t field : clause.fields) {
      const TextIndex& index = *scorer_.fields_[field]->text();
      for (const PostingList* list : index.Find(pattern)) lists.push_back({list, index.weight()});
    }
    if (lists.empty()) return;
    const auto documents = static_cast<double>(scorer_.documents_.size());
    const auto holders = static_cast<double>(CountDocuments(lists, scorer_.documents_.bound()));
    const double idf = std::log(1 + (documents - holders + 0.5) / (holders + 0.5)) * clause.weight;
    for (const WeightedList& weighted : lists) CountIn(weighted, places);
    for (uint32_t place : places) {
      const double count = std::exchange(counts_[place], 0);
      if (count > 0) scores_[place] += idf * count * (kK1 + 1) / (count + saturation_[place]);
    }
  }

  // Both sides are in the order of ids; the shorter one leads.
  void CountIn(const WeightedList& weighted, const Places& places) {
    PostingList::Cursor cursor(*weighted.list);
    const bool few_postings = weighted.list->size() < places.size();
    for (auto place = places.begin(); place != places.end() && !cursor.done();) {
      if (cursor.id() == ids_[*place]) {
        counts_[*place++] += weighted.weight * cursor.count();
      } else if (cursor.id() < ids_[*place]) {
        cursor.SeekTo(ids_[*place]);
      } else if (few_postings) {
        const auto before = [&](uint32_t other, Id id) { return ids_[other] < id; };
        place = std::lower_bound(place, places.end(), cursor.id(), before);
      } else {
        ++place;
      }
    }
  }

  const TextScorer& scorer_;
  std::span<const Id> ids_;
  std::vector<double> scores_;
  std::vector<double> saturation_;  // what a count is added to below the line of the formula
  std::vector<double> counts_;      // of the pattern at hand; zeros in between
};

std::vector<double> TextScorer::Score(const FilterNode& filter, std::span<const Id> ids) const {
  Pass pass(*this, ids);
  Pass::Places places(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) places[i] = static_cast<uint32_t>(i);
  pass.Add(filter, places);
  return pass.Take();
}

}  // namespace redoubt::search
