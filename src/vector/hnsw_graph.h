#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include "base/memory.h"
#include "base/result.h"
#include "vector/block_store.h"
#include "vector/codec.h"
#include "vector/top_k.h"

namespace redoubt::vector {

// Where a vector is in the graph. Below 2^31, so that a walk has a bit of it for itself.
using Slot = uint32_t;
inline constexpr Slot kNoSlot = UINT32_MAX;
inline constexpr Slot kMaxSlots = Slot{1} << 31;
inline constexpr Id kNoId = UINT32_MAX;

inline constexpr size_t kMaxLevel = 15;  // four bits of a node's head

// Filled from the front; the first kNoSlot ends it. A reader without the lock goes from the back and skips kNoSlot:
// what a writer moves goes to the front, so that it is met in either place. On level 0 a reader meets one more link in
// the last place, the node's twin.
struct LinkList {
  std::atomic<Slot>* at;
  size_t capacity;  // places to read
  size_t room;      // places to fill

  Slot Get(size_t i) const { return at[i].load(std::memory_order_acquire); }
  void Set(size_t i, Slot slot) const { at[i].store(slot, std::memory_order_release); }
  // Copies the links, without the twin, to `out`, which has room for `capacity`; their number.
  size_t CopyTo(Slot* out) const {
    size_t count = 0;
    while (count < room && (out[count] = Get(count)) != kNoSlot) ++count;
    return count;
  }
  // Makes the links those of `wanted`, which are at most `room` and all different. One that was there before is met
  // by every reader, however long the writer is put aside in between. With the lock of the node.
  void Replace(std::span<const Slot> wanted) const;
};

// What a graph takes, in bytes, spare room included.
struct GraphMemory {
  size_t codes = 0;
  size_t links = 0;
  size_t ids = 0;  // ids, places and marks

  size_t total() const { return codes + links + ids; }
};

// The records of the graph: links, codes and ids by slot. What may run beside what is said at each function; a slot
// reaches another thread by a link, an id table or a lock.
class HnswGraph {
 public:
  HnswGraph(size_t m, size_t code_bytes, base::MemoryResource& memory);

  // A slot without links and without an id, with room for levels 0..level. One caller at a time, also of ReturnSlot(),
  // of the functions below it and of memory().
  base::Result<Slot> TakeSlot(size_t level);
  // Nobody may hold the slot any more.
  void ReturnSlot(Slot slot);
  // The store of the records, which is by far the largest, for who makes room in it ahead of need.
  BlockStore& records() { return records_; }
  // Those that ReturnSlot() took and nobody has.
  const std::vector<Slot>& free_slots() const { return free_slots_; }

  // Safe on many threads.
  size_t bound() const { return bound_.load(std::memory_order_acquire); }  // every slot is below
  size_t m() const { return m_; }
  LinkList Links(Slot slot, size_t level) const {
    if (level == 0) return {reinterpret_cast<std::atomic<Slot>*>(records_.At(slot)), 2 * m_, 2 * m_ - 1};
    return UpperLinks(Head(slot).tower.load(std::memory_order_acquire), level);
  }
  // The next in the ring of nodes with the same code, kNoSlot where there is no other. Set with the lock of the node.
  Slot Twin(Slot slot) const { return Links(slot, 0).Get(2 * m_ - 1); }
  void SetTwin(Slot slot, Slot twin) const { Links(slot, 0).Set(2 * m_ - 1, twin); }
  std::byte* Code(Slot slot) const { return records_.At(slot) + code_offset_; }
  size_t Level(Slot slot) const { return Head(slot).tower.load(std::memory_order_acquire) >> kRowBits; }
  // kNoId: free, or deleted.
  Id IdOf(Slot slot) const { return Head(slot).id.load(std::memory_order_acquire); }
  void SetId(Slot slot, Id id) const { Head(slot).id.store(id); }

  // A staged slot has a code and an id but is not known to others yet. Safe on many threads.
  void SetStaged(Slot slot);
  void ClearStaged(Slot slot);
  bool IsStaged(Slot slot) const { return (NotStaged(slot).load() >> (slot % 64) & 1) == 0; }
  size_t staged() const { return staged_count_.load(std::memory_order_acquire); }
  void CopyStaged(std::vector<Slot>& out) const;

  // A mark for the owner, with one caller at a time.
  bool Queued(Slot slot) const { return Head(slot).queued; }
  void SetQueued(Slot slot, bool queued) { Head(slot).queued = queued; }

  void PrefetchLinks(Slot slot) const {
    const std::byte* record = records_.At(slot);
    for (size_t i = 0; i < 2 * m_ * sizeof(Slot); i += 64) __builtin_prefetch(record + i);
  }
  // Answers Code().
  const std::byte* PrefetchCode(Slot slot) const {
    constexpr size_t kMostBytes = 256;
    const std::byte* const code = Code(slot);
    const std::byte* const head = code - Codec::kHeadBytes;
    const size_t bytes = std::min(code_bytes_ + Codec::kHeadBytes, kMostBytes);
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(head + at);
    __builtin_prefetch(head + bytes - 1);  // mostly in the line of the last one: then it costs nothing
    return code;
  }
  void PrefetchHead(Slot slot) const { __builtin_prefetch(records_.At(slot) + code_offset_ - Codec::kHeadBytes); }

  // While it lives no other thread writes the links of the node.
  class NodeLock {
   public:
    NodeLock(const HnswGraph& graph, Slot slot) : lock_(graph.Head(slot).lock) {
      while (lock_.exchange(1, std::memory_order_acquire) != 0) std::this_thread::yield();
    }
    ~NodeLock() { lock_.store(0, std::memory_order_release); }
    NodeLock(const NodeLock&) = delete;
    NodeLock& operator=(const NodeLock&) = delete;

   private:
    std::atomic<uint8_t>& lock_;
  };

  GraphMemory memory() const;

 private:
  // Begins with what the codec keeps there. The id lies here because a walk asks for it right after it measured the
  // code.
  struct NodeHead {
    CodeHead code;
    std::atomic<uint32_t> tower{0};  // the highest level, and in kRowBits the row of level 1; the next levels follow
    std::atomic<Id> id{kNoId};
    std::atomic<uint8_t> lock{0};
    bool queued = false;
  };
  static_assert(sizeof(NodeHead) == Codec::kHeadBytes);
  static_assert(sizeof(std::atomic<Slot>) == sizeof(Slot) && std::atomic<Slot>::is_always_lock_free);

  static constexpr unsigned kRowBits = 28;
  static constexpr size_t kStagedBlockBytes = 4096;  // of 32,768 slots

  LinkList UpperLinks(uint32_t tower, size_t level) const {
    const uint32_t row = (tower & ((uint32_t{1} << kRowBits) - 1)) + static_cast<uint32_t>(level) - 1;
    return {reinterpret_cast<std::atomic<Slot>*>(upper_.At(row)), m_, m_};
  }
  NodeHead& Head(Slot slot) const {
    return *reinterpret_cast<NodeHead*>(records_.At(slot) + code_offset_ - Codec::kHeadBytes);
  }
  std::atomic<uint64_t>& NotStaged(Slot slot) const {
    return *reinterpret_cast<std::atomic<uint64_t>*>(not_staged_.At(slot / 64));
  }
  base::Result<uint32_t> TakeRows(size_t levels);
  base::Result<Slot> TakeRecord();

  const size_t m_;
  const size_t code_offset_;
  const size_t code_bytes_;
  BlockStore records_;     // links of level 0, head, code
  BlockStore upper_;       // rows of m links
  BlockStore not_staged_;  // a bit per slot
  std::atomic<size_t> staged_count_{0};
  std::atomic<uint32_t> bound_{0};
  uint32_t upper_rows_ = 0;
  std::vector<Slot> free_slots_;
  std::vector<std::vector<uint32_t>> free_rows_;  // by their number of levels
};

}  // namespace redoubt::vector
