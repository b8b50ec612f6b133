#include "search/numeric_index.h"

namespace redoubt::search {

NumericIndex::NumericIndex(bool ordered, std::pmr::memory_resource* memory)
    : has_order_(ordered), column_(memory), ordered_(memory) {}

void NumericIndex::Set(Id id, double value) {
  double old = Value(id);
  if (old == value || (std::isnan(old) && std::isnan(value))) return;
  if (!std::isnan(value)) {
    if (id >= column_.size()) column_.resize(size_t{id} + 1, kMissing);
    if (has_order_) ordered_.Insert({value, id});
    ++size_;
  }
  if (!std::isnan(old)) {
    if (has_order_) ordered_.Erase({old, id});
    --size_;
  }
  column_[id] = value;
}

void NumericIndex::Collect(const NumericRange& range, IdSet& into) const {
  if (!(range.low <= range.high)) return;
  Entry low = {range.low, 0};
  Entry high = {range.high, std::numeric_limits<Id>::max()};
  // One pass over the column is cheaper than many scattered entries.
  if (!has_order_ || ordered_.Estimate(low, high) > column_.size() / 8) {
    CollectFromColumn(range, into);
    return;
  }
  ordered_.ForEachFrom(low, [&](Entry entry) {
    if (entry.value > range.high) return false;
    if (range.Contains(entry.value)) into.Insert(entry.id);
    return true;
  });
}

void NumericIndex::CollectFromColumn(const NumericRange& range, IdSet& into) const {
  for (size_t id = 0; id < column_.size(); ++id) {
    if (range.Contains(column_[id])) into.Insert(static_cast<Id>(id));  // NaN is in no range
  }
}

}  // namespace redoubt::search
