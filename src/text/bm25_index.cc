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

// Ordered, so that sums come out the same in every run.
std::map<std::string, double> CountTerms(std::string_view query) {
  std::map<std::string, double> counts;
  for (std::string& term : Tokenize(query)) counts[std::move(term)] += 1.0;
  return counts;
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

double Bm25Index::Idf(size_t holders) const {
  const double with = static_cast<double>(holders);
  const double without = static_cast<double>(documents_.size()) - with;
  // The form that stays positive for a term in more than half of the documents.
  return std::log(1.0 + (without + 0.5) / (with + 0.5));
}

void Bm25Index::ScoreTerm(const Postings& postings, double query_count,
                          std::unordered_map<uint32_t, double>& scores) const {
  const double idf = Idf(postings.size());
  const double mean_length = total_length_ / static_cast<double>(documents_.size());
  for (const Posting& posting : postings) {
    const double length = documents_.at(posting.doc).weighted_length / mean_length;
    const double count = posting.weighted_count;
    const double saturation = count + options_.k1 * (1.0 - options_.b + options_.b * length);
    scores[posting.doc] += query_count * idf * count * (options_.k1 + 1.0) / saturation;
  }
}

std::vector<Scored> Bm25Index::Search(std::string_view query, size_t k) const {
  std::unordered_map<uint32_t, double> scores;
  for (const auto& [term, count] : CountTerms(query)) {
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

double Bm25Index::MaxScore(std::string_view query) const {
  double sum = 0;
  for (const auto& [term, count] : CountTerms(query)) {
    const auto entry = postings_.find(term);
    sum += count * Idf(entry == postings_.end() ? 0 : entry->second.size());
  }
  return sum * (options_.k1 + 1.0);
}

}  // namespace redoubt::text
