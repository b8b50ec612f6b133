#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory_resource>
#include <span>
#include <vector>

#include "base/section.h"
#include "search/document_table.h"
#include "vector/top_k.h"

namespace redoubt::search {

// Whose the vectors of a field are where a document may have several: vectors have ids of their own then, small, dense
// and given out again, and what is found of them becomes documents here, each once, by its best vector.
// The const functions may run on many threads at once; Resize() needs exclusive access.
class VectorOwners {
 public:
  explicit VectorOwners(std::pmr::memory_resource* memory);

  // Gives the document `count` vectors and answers their ids, valid until the next call: those that it had come first,
  // so that a vector that has not changed keeps its id. Calls `drop` for each that it loses. std::bad_alloc is thrown
  // before anything is changed; a `count` of 0 takes no memory.
  std::span<const Id> Resize(Id document, size_t count, const std::function<void(Id)>& drop);

  std::span<const Id> Of(Id document) const;
  size_t size() const { return owners_.size() - free_.size(); }  // vectors
  size_t most() const { return documents_by_count_.empty() ? 0 : documents_by_count_.rbegin()->first; }
  // So many of the nearest vectors hold the `k` nearest documents: all others have but vectors behind these.
  size_t VectorsFor(size_t k) const;
  IdSet VectorsOf(const IdSet& documents) const;
  // The documents of these vectors, each once with its least distance, nearest first.
  std::vector<vector::Hit> Documents(std::vector<vector::Hit> hits) const;
  size_t memory_bytes() const;

  // Save() takes no lock. Load() reads what it wrote into one without vectors; DataLoss where that cannot be, or not of
  // these `documents`.
  void Save(base::SectionWriter& out) const;
  base::Status Load(const IdSet& documents, base::SectionReader& in);
  IdSet Vectors() const;
  void Swap(VectorOwners& other);  // of the same memory

 private:
  static constexpr Id kNobody = static_cast<Id>(-1);

  void Count(size_t before, size_t after);

  std::pmr::vector<Id> owners_;                     // by vector: its document
  std::pmr::vector<Id> free_;                       // vectors without one; room for all of them is kept
  std::pmr::vector<std::pmr::vector<Id>> vectors_;  // by document
  std::pmr::map<size_t, size_t> documents_by_count_;
};

}  // namespace redoubt::search
