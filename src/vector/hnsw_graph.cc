#include "vector/hnsw_graph.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <new>

namespace redoubt::vector {

void LinkList::Replace(std::span<const Slot> wanted) const {
  std::vector<Slot> present(room);
  present.resize(CopyTo(present.data()));
  std::vector<Slot> added;
  for (Slot slot : wanted) {
    if (std::find(present.begin(), present.end(), slot) == present.end()) added.push_back(slot);
  }
  auto goes = [&](Slot slot) { return std::find(wanted.begin(), wanted.end(), slot) == wanted.end(); };
  for (size_t i = 0; i < present.size(); ++i) {
    while (i < present.size() && goes(present[i])) {
      if (added.empty()) {  // the last one takes the place, and is at both for a moment
        Set(i, present[i] = present.back());
        present.pop_back();
        Set(present.size(), kNoSlot);
      } else {
        Set(i, present[i] = added.back());
        added.pop_back();
      }
    }
  }
  for (Slot slot : added) {
    Set(present.size(), slot);
    present.push_back(slot);
  }
}

HnswGraph::HnswGraph(size_t m, size_t code_bytes, base::MemoryResource& memory)
    : m_(m),
      code_offset_(2 * m * sizeof(Slot) + Codec::kHeadBytes),
      code_bytes_(code_bytes),
      records_(code_offset_ + code_bytes, memory),
      upper_(m * sizeof(Slot), memory),
      not_staged_(sizeof(uint64_t), memory, kStagedBlockBytes),
      free_rows_(kMaxLevel + 1) {}

base::Result<Slot> HnswGraph::TakeRecord() {
  if (!free_slots_.empty()) {
    Slot slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }
  const uint32_t slot = bound_.load();
  if (slot == kMaxSlots) return base::ResourceExhausted(fmt::format("a graph holds at most {} vectors", kMaxSlots));
  RETURN_IF_ERROR(records_.Grow(size_t{slot} + 1));
  RETURN_IF_ERROR(not_staged_.Grow(slot / 64 + 1));
  new (&Head(slot)) NodeHead();
  bound_.store(slot + 1, std::memory_order_release);
  return slot;
}

base::Result<uint32_t> HnswGraph::TakeRows(size_t levels) {
  std::vector<uint32_t>& free = free_rows_[levels];
  if (!free.empty()) {
    uint32_t row = free.back();
    free.pop_back();
    return row;
  }
  const uint32_t row = upper_rows_;
  if (size_t{row} + levels > size_t{1} << kRowBits) return base::ResourceExhausted("a graph has no more upper links");
  RETURN_IF_ERROR(upper_.Grow(row + levels));
  upper_rows_ += static_cast<uint32_t>(levels);
  return row;
}

base::Result<Slot> HnswGraph::TakeSlot(size_t level) {
  uint32_t row = 0;
  if (level > 0) {
    ASSIGN_OR_RETURN(row, TakeRows(level));
  }
  base::Result<Slot> slot = TakeRecord();
  if (!slot.ok()) {
    if (level > 0) free_rows_[level].push_back(row);
    return slot;
  }
  Head(*slot).tower.store(static_cast<uint32_t>(level) << kRowBits | row, std::memory_order_release);
  return slot;
}

void HnswGraph::SetStaged(Slot slot) {
  staged_count_.fetch_add(1);
  NotStaged(slot).fetch_and(~(uint64_t{1} << (slot % 64)));
}

void HnswGraph::ClearStaged(Slot slot) {
  const uint64_t bit = uint64_t{1} << (slot % 64);
  if ((NotStaged(slot).fetch_or(bit) & bit) == 0) staged_count_.fetch_sub(1);
}

void HnswGraph::CopyStaged(std::vector<Slot>& out) const {
  out.clear();
  if (staged() == 0) return;
  const auto words = static_cast<uint32_t>((bound() + 63) / 64);
  for (uint32_t i = 0; i < words; ++i) {
    const uint64_t word = ~NotStaged(i * 64).load(std::memory_order_acquire);
    for (uint64_t rest = word; rest != 0; rest &= rest - 1) {
      out.push_back(i * 64 + static_cast<Slot>(std::countr_zero(rest)));
    }
  }
}

void HnswGraph::ReturnSlot(Slot slot) {
  ClearStaged(slot);
  const size_t level = Level(slot);
  for (size_t l = 0; l <= level; ++l) {
    LinkList links = Links(slot, l);
    for (size_t i = 0; i < links.capacity; ++i) links.Set(i, kNoSlot);
  }
  const uint32_t tower = Head(slot).tower.exchange(0);
  if (level > 0) free_rows_[level].push_back(tower & ((uint32_t{1} << kRowBits) - 1));
  free_slots_.push_back(slot);
}

GraphMemory HnswGraph::memory() const {
  GraphMemory memory;
  const size_t records = records_.memory_bytes();
  const size_t links = 2 * m_ * sizeof(Slot);
  memory.links = records / records_.row_bytes() * links;
  memory.codes = records - memory.links;
  memory.links += upper_.memory_bytes();
  memory.ids = not_staged_.memory_bytes() + free_slots_.capacity() * sizeof(Slot);
  for (const auto& rows : free_rows_) memory.ids += rows.capacity() * sizeof(uint32_t);
  return memory;
}

}  // namespace redoubt::vector
