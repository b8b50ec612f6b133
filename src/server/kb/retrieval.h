#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/kb/knowledge_base.h"
#include "text/bm25_index.h"

namespace redoubt::kb {

using EntryPtr = std::shared_ptr<const Entry>;
using Vector = std::vector<float>;

// The words and the vectors of one set of entries. Immutable once filled; Search runs on many threads.
//
// score = mean of the three highest cosines between the query and an entry's lines
//         + 0.8 * BM25(query, entry) / the best BM25 possible
// divided by 1.4, so that it lies in 0..1; without vectors the second term alone.
class Retrieval {
 public:
  explicit Retrieval(std::vector<EntryPtr> entries);

  // The lines of an entry whose vectors stand for it: title, symptoms and causes in both languages.
  static std::vector<std::string> LinesOf(const Entry& entry);

  // Vectors of LinesOf(entries()[index]), in that order.
  void SetVectors(size_t index, std::vector<Vector> vectors) { vectors_[index] = std::move(vectors); }
  bool HasVectors(size_t index) const { return !vectors_[index].empty(); }
  const std::vector<Vector>& vectors(size_t index) const { return vectors_[index]; }
  const std::vector<EntryPtr>& entries() const { return entries_; }

  // `query_vector` may be null.
  std::vector<SearchHit> Search(std::string_view query, const Vector* query_vector, size_t k) const;

 private:
  struct Likeness {
    double score = 0;  // mean of the three best cosines
    size_t best_line = 0;
    double best = 0;
  };
  Likeness LikenessOf(size_t index, const Vector& query) const;
  SearchHit Describe(size_t index, std::string_view query, double score, double words, const Likeness* likeness) const;

  std::vector<EntryPtr> entries_;
  std::vector<std::vector<Vector>> vectors_;
  std::vector<std::string> folded_;  // the text of an entry in lower case, to name the words that matched
  text::Bm25Index words_;
};

}  // namespace redoubt::kb
