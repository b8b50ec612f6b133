#include "search/numeric_index.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace redoubt::search {

NumericIndex::NumericIndex(bool ordered, std::pmr::memory_resource* memory)
    : has_order_(ordered), column_(memory), ordered_(memory), others_(memory) {}

void NumericIndex::Set(Id id, double value) {
  if (!others_.empty()) DropOthers(id);
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

void NumericIndex::SetMany(Id id, std::span<const double> values) {
  Set(id, values[0]);
  if (!has_order_ || values.size() == 1) return;
  std::pmr::vector<double> others(values.begin() + 1, values.end(), others_.get_allocator());
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  std::erase(others, values[0]);
  if (others.empty()) return;
  // Remembered before they are entered, so that Clear() finds them also when memory runs out half way.
  const std::pmr::vector<double>& kept = others_.insert_or_assign(id, std::move(others)).first->second;
  other_count_ += kept.size();
  for (double value : kept) ordered_.Insert({value, id});
}

void NumericIndex::DropOthers(Id id) {
  const auto place = others_.find(id);
  if (place == others_.end()) return;
  for (double value : place->second) ordered_.Erase({value, id});
  other_count_ -= place->second.size();
  others_.erase(place);
}

size_t NumericIndex::memory_bytes() const {
  // A node of the map: its link, the id and the list.
  constexpr size_t kNodeBytes = 2 * sizeof(void*) + sizeof(std::pmr::vector<double>);
  return column_.capacity() * sizeof(double) + ordered_.memory_bytes() + others_.bucket_count() * sizeof(void*) +
         others_.size() * kNodeBytes + other_count_ * sizeof(double);
}

void NumericIndex::Collect(const NumericRange& range, IdSet& into) const {
  if (!(range.low <= range.high)) return;
  Entry low = {range.low, 0};
  Entry high = {range.high, std::numeric_limits<Id>::max()};
  // One pass over the column is cheaper than many scattered entries.
  if (!has_order_ || ordered_.Estimate(low, high) > column_.size() / 8) {
    CollectFromColumn(range, into);
    for (const auto& [id, values] : others_) {
      const auto in_range = [&range](double value) { return range.Contains(value); };
      if (std::any_of(values.begin(), values.end(), in_range)) into.Insert(id);
    }
    return;
  }
  ordered_.ForEachFrom(low, [&](Entry entry) {
    if (entry.value > range.high) return false;
    if (range.Contains(entry.value)) into.Insert(entry.id);
    return true;
  });
}

size_t NumericIndex::Estimate(const NumericRange& range) const {
  if (!(range.low <= range.high)) return 0;
  if (!has_order_) return column_.size();
  return ordered_.Estimate({range.low, 0}, {range.high, std::numeric_limits<Id>::max()});
}

// Without a jump that depends on a value: where half of them are in the range, every second one would be wrong.
void NumericIndex::CollectFromColumn(const NumericRange& range, IdSet& into) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double low = range.low_open ? std::nextafter(range.low, kInfinity) : range.low;
  const double high = range.high_open ? std::nextafter(range.high, -kInfinity) : range.high;
  if (range.low_open && low == range.low) return;  // of infinity nothing is greater
  if (range.high_open && high == range.high) return;
  for (size_t begin = 0; begin < column_.size(); begin += IdSet::kWordIds) {
    const size_t count = std::min(IdSet::kWordIds, column_.size() - begin);
    uint64_t word = 0;
    for (size_t i = 0; i < count; ++i) {
      const double value = column_[begin + i];  // NaN is in no range
      word |= static_cast<uint64_t>(static_cast<int>(value >= low) & static_cast<int>(value <= high)) << i;
    }
    into.InsertWord(begin / IdSet::kWordIds, word);
  }
}

}  // namespace redoubt::search
