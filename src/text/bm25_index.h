#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace redoubt::text {

struct Bm25Options {
  double k1 = 1.2;  // how soon repeats of a term stop counting
  double b = 0.75;  // 0: length does not matter, 1: in full
};

struct Scored {
  uint32_t doc;
  double score;  // > 0; comparable within one index and query only
};

// An inverted index in memory that ranks documents by BM25 (Robertson & Zaragoza 2009). Fields are texts added with
// their own weights, whose term counts sum before they saturate (the simple BM25F), so that one index holds them all.
// Search() and the accessors may run on many threads at once; Add() and Remove() need exclusive access.
class Bm25Index {
 public:
  explicit Bm25Index(Bm25Options options = {}) : options_(options) {}

  // Adds `text` to document `doc`, which comes into being with its first text. Each term counts `weight` (> 0) times.
  void Add(uint32_t doc, std::string_view text, float weight = 1.0f);

  // Forgets all texts of `doc` and frees what only it needed; false when there is none.
  bool Remove(uint32_t doc);

  // At most `k` documents that share a term with `query`, best first, equal scores by number. A term that the query
  // repeats counts as often as it stands there.
  std::vector<Scored> Search(std::string_view query, size_t k) const;

  // What a document would score that repeats every term of `query` without end: Search()'s scores divided by it lie in
  // 0..1 and compare between queries and between indexes. Terms that no document holds count as the rarest.
  double MaxScore(std::string_view query) const;

  bool Contains(uint32_t doc) const { return documents_.contains(doc); }
  size_t size() const { return documents_.size(); }
  size_t term_count() const { return postings_.size(); }

 private:
  struct Posting {
    uint32_t doc;
    float weighted_count;
  };
  struct Document {
    double weighted_length = 0;
    std::vector<std::string> terms;  // each once: where Remove() finds the postings
  };
  using Postings = std::vector<Posting>;  // by ascending doc

  void AddTerm(uint32_t doc, Document& document, const std::string& term, float weight);
  double Idf(size_t holders) const;
  void ScoreTerm(const Postings& postings, double query_count, std::unordered_map<uint32_t, double>& scores) const;

  Bm25Options options_;
  std::unordered_map<std::string, Postings> postings_;
  std::unordered_map<uint32_t, Document> documents_;
  double total_length_ = 0;
};

}  // namespace redoubt::text
