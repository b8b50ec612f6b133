#include "text/bm25_index.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/check.h"
#include "text/tokenizer.h"

namespace redoubt::text {
namespace {

template <class Postings>
auto Find(Postings& postings, uint32_t doc) {
  return std::lower_bound(postings.begin(), postings.end(), doc,
                          [](const auto& posting, uint32_t wanted) { return posting.doc < wanted; });
}

}  // namespace

void Bm25Index::AddTerm(uint32_t doc, Document& document, const std::string& term, float weight) {
  Postings& postings = postings_[term];
  auto it = Find(postings, doc);
  if (it != postings.end() && it->doc == doc) {
    it->weighted_count += weight;
    return;
  }
  postings.insert(it, {doc, weight});
  document.terms.push_back(term);
}

void Bm25Index::Add(uint32_t doc, std::string_view text, float weight) {
  CHECK(weight > 0);
  Document& document = documents_[doc];
  const std::vector<std::string> terms = Tokenize(text);
  for (const std::string& term : terms) AddTerm(doc, document, term, weight);
  const double length = static_cast<double>(terms.size()) * weight;
  document.weighted_length += length;
  total_length_ += length;
}

bool Bm25Index::Remove(uint32_t doc) {
  const auto found = documents_.find(doc);
  if (found == documents_.end()) return false;
  for (const std::string& term : found->second.terms) {
    const auto entry = postings_.find(term);
    CHECK(entry != postings_.end());
    Postings& postings = entry->second;
    postings.erase(Find(postings, doc));
    if (postings.empty()) postings_.erase(entry);
  }
  total_length_ -= found->second.weighted_length;
  documents_.erase(found);
  if (documents_.empty()) total_length_ = 0;  // what rounding left over
  return true;
}

void Bm25Index::ScoreTerm(const Postings& postings, double query_count,
                          std::unordered_map<uint32_t, double>& scores) const {
  const double documents = static_cast<double>(documents_.size());
  const double holders = static_cast<double>(postings.size());
  // The form that stays positive for a term in more than half of the documents.
  const double idf = std::log(1.0 + (documents - holders + 0.5) / (holders + 0.5));
  const double mean_length = total_length_ / documents;
  for (const Posting& posting : postings) {
    const double length = documents_.at(posting.doc).weighted_length / mean_length;
    const double count = posting.weighted_count;
    const double saturation = count + options_.k1 * (1.0 - options_.b + options_.b * length);
    scores[posting.doc] += query_count * idf * count * (options_.k1 + 1.0) / saturation;
  }
}

std::vector<Scored> Bm25Index::Search(std::string_view query, size_t k) const {
  std::map<std::string, double> query_counts;  // ordered: sums are the same in every run
  for (std::string& term : Tokenize(query)) query_counts[std::move(term)] += 1.0;

  std::unordered_map<uint32_t, double> scores;
  for (const auto& [term, count] : query_counts) {
    const auto entry = postings_.find(term);
    if (entry != postings_.end()) ScoreTerm(entry->second, count, scores);
  }
  std::vector<Scored> hits;
  hits.reserve(scores.size());
  for (const auto& [doc, score] : scores) hits.push_back({doc, score});
  const auto better = [](const Scored& a, const Scored& b) {
    return a.score != b.score ? a.score > b.score : a.doc < b.doc;
  };
  const size_t kept = std::min(k, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(kept), hits.end(), better);
  hits.resize(kept);
  return hits;
}

}  // namespace redoubt::text
