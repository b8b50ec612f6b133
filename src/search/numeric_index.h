#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "search/document_table.h"
#include "search/query.h"
#include "search/sorted_blocks.h"

namespace redoubt::search {

// The numbers of one field: by id (a column) and by value (ordered). A document with several has the first in the
// column and the others beside it.
class NumericIndex {
 public:
  // `ordered` false: only the column, for a field that is sorted by but never filtered.
  NumericIndex(bool ordered, std::pmr::memory_resource* memory);

  // NaN: the document has none. Throws std::bad_alloc before anything is changed.
  void Set(Id id, double value);
  void Clear(Id id) { Set(id, kMissing); }
  // A document is in a range if one of its numbers, none of them NaN, is. The first is its Value().
  void SetMany(Id id, std::span<const double> values);

  double Value(Id id) const { return id < column_.size() ? column_[id] : kMissing; }  // NaN when it has none
  // Adds the ids with a value in `range` to `into`, whose bound is that of the documents.
  void Collect(const NumericRange& range, IdSet& into) const;

  // How many numbers Collect() looks at, about.
  size_t Estimate(const NumericRange& range) const;

  size_t size() const { return size_ + other_count_; }  // numbers of documents, each different one once
  size_t memory_bytes() const;

 private:
  static constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

#pragma pack(push, 4)
  struct Entry {
    double value;
    Id id;
    friend bool operator<(Entry a, Entry b) { return a.value != b.value ? a.value < b.value : a.id < b.id; }
  };
#pragma pack(pop)

  void CollectFromColumn(const NumericRange& range, IdSet& into) const;
  void DropOthers(Id id);

  const bool has_order_;
  std::pmr::vector<double> column_;
  SortedBlocks<Entry> ordered_;
  std::pmr::unordered_map<Id, std::pmr::vector<double>> others_;  // different ones, without the first
  size_t size_ = 0;
  size_t other_count_ = 0;
};

}  // namespace redoubt::search
