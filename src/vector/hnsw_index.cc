#include "vector/hnsw_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"
#include "vector/flat_index.h"
#include "vector/hnsw_lease.h"

namespace redoubt::vector {

base::Result<std::unique_ptr<HnswIndex>> HnswIndex::Create(const HnswOptions& options) {
  if (options.dim < 1 || options.dim > kMaxDim) {
    return base::InvalidArgument(fmt::format("dim {} is outside 1..{}", options.dim, kMaxDim));
  }
  if (options.m < 2 || options.m > 512) {
    return base::InvalidArgument(fmt::format("M {} is outside 2..512", options.m));
  }
  if (options.ef_construction < 1 || options.ef_construction > 65536) {
    return base::InvalidArgument(fmt::format("EF_CONSTRUCTION {} is outside 1..65536", options.ef_construction));
  }
  if (!options.centre.empty() && options.centre.size() != options.dim) {
    return base::InvalidArgument(
        fmt::format("a centre of {} elements does not fit dim {}", options.centre.size(), options.dim));
  }
  return std::unique_ptr<HnswIndex>(new HnswIndex(options));
}

HnswIndex::HnswIndex(const HnswOptions& options)
    : options_(options),
      codec_(options.dim, options.metric, options.storage, options.centre),
      graph_(options.m, codec_.code_bytes(), *options.memory),
      slots_(sizeof(Slot), *options.memory) {
  StoreEntry({});
}

HnswIndex::~HnswIndex() = default;

HnswIndex::Entry HnswIndex::LoadEntry() const {
  const uint64_t word = entry_word_.load(std::memory_order_acquire);
  return {static_cast<Slot>(word), static_cast<uint32_t>(word >> 32)};
}

void HnswIndex::StoreEntry(Entry entry) {
  entry_word_.store(uint64_t{entry.level} << 32 | entry.slot, std::memory_order_release);
}

Slot HnswIndex::SlotOf(Id id) const {
  return id < slots_bound_.load(std::memory_order_acquire) ? SlotWord(id).load(std::memory_order_acquire) : kNoSlot;
}

// Geometric, with 1 of m on the next level: -ln(uniform) / ln(m) of the paper. Numbered draws of SplitMix64 (Steele,
// Lea & Flood 2014), so that threads need no common state but a counter.
size_t HnswIndex::NextLevel() {
  uint64_t z = options_.seed * 0xd1342543de82ef95 + (levels_given_.fetch_add(1) + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  z ^= z >> 31;
  const double uniform = (static_cast<double>(z >> 11) + 1) * 0x1p-53;
  return std::min(kMaxLevel, static_cast<size_t>(-std::log(uniform) / std::log(static_cast<double>(options_.m))));
}

base::Result<Slot> HnswIndex::Place(Id id, const std::byte* code, size_t level, bool queue) try {
  std::lock_guard lock(mu_);
  RemoveLocked(id);
  RETURN_IF_ERROR(slots_.Grow(size_t{id} + 1));
  slots_bound_.store(slots_.size(), std::memory_order_release);
  ASSIGN_OR_RETURN(Slot slot, graph_.TakeSlot(level));
  std::memcpy(graph_.Code(slot), code, codec_.code_bytes());
  const CodeHead head = Codec::Head(code);
  std::memcpy(graph_.Code(slot) - Codec::kHeadBytes, &head, sizeof(head));
  if (queue) queue_.push_back(slot);
  graph_.SetQueued(slot, queue);
  graph_.SetStaged(slot);
  graph_.SetId(slot, id);
  SlotWord(id).store(slot, std::memory_order_release);
  size_.fetch_add(1, std::memory_order_relaxed);
  return slot;
} catch (const std::bad_alloc&) {
  return base::ResourceExhausted("no memory to index one more vector");
}

base::Status HnswIndex::Encode(Id id, std::span<const float> vector, OwnCode& own) {
  if (vector.size() != options_.dim) {
    return base::InvalidArgument(
        fmt::format("a vector of {} elements does not fit dim {}", vector.size(), options_.dim));
  }
  if (codec_.Encode(vector, own.code())) return base::OkStatus();
  Remove(id);
  return base::InvalidArgument("a vector with an element that is not finite, or too large, has no place in a graph");
}

base::Status HnswIndex::Add(Id id, std::span<const float> vector) {
  OwnCode own(codec_);
  RETURN_IF_ERROR(Encode(id, vector, own));
  GrowAhead(nullptr);
  Lease lease(*this);  // before the slot can be seen, so that it stays this vector's while it is linked
  ASSIGN_OR_RETURN(Slot slot, Place(id, own.code(), NextLevel(), false));
  ConnectPlaced(slot, *lease);
  return base::OkStatus();
}

base::Status HnswIndex::Stage(Id id, std::span<const float> vector) {
  OwnCode own(codec_);
  RETURN_IF_ERROR(Encode(id, vector, own));
  if (HasCode(id, own.code())) return base::OkStatus();
  return Place(id, own.code(), NextLevel(), true).status();
}

// The code is all that the graph knows of a vector. It changes with the slot only, and of one id nobody else writes.
bool HnswIndex::HasCode(Id id, const std::byte* code) const {
  const Slot slot = SlotOf(id);
  return slot != kNoSlot &&
         std::memcmp(graph_.Code(slot) - Codec::kHeadBytes, code - Codec::kHeadBytes, sizeof(CodeHead)) == 0 &&
         std::memcmp(graph_.Code(slot), code, codec_.code_bytes()) == 0;
}

// A queued slot has to stay what it is until it is taken off the queue.
bool HnswIndex::RemoveLocked(Id id) {
  const Slot slot = SlotOf(id);
  if (slot == kNoSlot) return false;
  if (!graph_.Queued(slot)) removed_.push_back(slot);
  graph_.SetId(slot, kNoId);
  SlotWord(id).store(kNoSlot, std::memory_order_release);
  size_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

bool HnswIndex::Remove(Id id) {
  std::lock_guard lock(mu_);
  return RemoveLocked(id);
}

size_t HnswIndex::removed() const {
  std::lock_guard lock(mu_);
  return removed_.size();
}

GraphMemory HnswIndex::memory() const {
  std::lock_guard lock(mu_);
  GraphMemory memory = graph_.memory();
  memory.ids += sizeof(*this) + slots_.memory_bytes() + (removed_.capacity() + queue_.size()) * sizeof(Slot);
  return memory;
}

std::vector<Hit> Rerank(Metric metric, std::span<const float> query, std::span<const Hit> hits, size_t k,
                        const std::function<const float*(Id)>& fetch) {
  TopK best(k);
  for (const Hit& hit : hits) {
    const float* vector = fetch(hit.id);
    if (vector == nullptr) continue;
    const float distance = Distance(metric, query.data(), vector, query.size());
    if (best.Wants(distance)) best.Offer({hit.id, distance});
  }
  return best.Take();
}

}  // namespace redoubt::vector
