#pragma once

#include <cmath>
#include <limits>

#include "search/document_table.h"
#include "search/query.h"
#include "search/sorted_blocks.h"

namespace redoubt::search {

// The numbers of one field: by id (a column) and by value (ordered).
class NumericIndex {
 public:
  // `ordered` false: only the column, for a field that is sorted by but never filtered.
  NumericIndex(bool ordered, std::pmr::memory_resource* memory);

  // NaN: the document has none. Throws std::bad_alloc before anything is changed.
  void Set(Id id, double value);
  void Clear(Id id) { Set(id, kMissing); }

  double Value(Id id) const { return id < column_.size() ? column_[id] : kMissing; }  // NaN when it has none
  // Adds the ids with a value in `range` to `into`, whose bound is that of the documents.
  void Collect(const NumericRange& range, IdSet& into) const;

  size_t size() const { return size_; }
  size_t memory_bytes() const { return column_.capacity() * sizeof(double) + ordered_.memory_bytes(); }

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

  const bool has_order_;
  std::pmr::vector<double> column_;
  SortedBlocks<Entry> ordered_;
  size_t size_ = 0;
};

}  // namespace redoubt::search
