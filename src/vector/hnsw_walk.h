#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "vector/epochs.h"
#include "vector/hnsw_graph.h"
#include "vector/id_set.h"

namespace redoubt::vector {

struct Candidate {
  float distance = 0;
  Slot slot = kNoSlot;

  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
  }
};

// The nearest so far, sorted, at most `capacity`; of the nearest `breadth` each is open until it was expanded. For the
// sizes that a walk uses, moving the tail of an array is cheaper than two heaps.
class Pool {
 public:
  // `heap`: for a scan, which only takes the nearest of all and may keep very many. Then Sort() comes before At(), and
  // none is open.
  void Reset(size_t breadth, size_t capacity, bool heap = false);
  void Sort();
  // Whether there are as many as decide where the walk ends.
  bool broad() const { return size_ >= breadth_; }
  size_t size() const { return size_; }
  // Whether something at `distance` gets in. False for what is not a finite number.
  bool Wants(float distance) const { return distance < limit_; }
  // Whether something at `distance` may lead to one of the nearest `breadth`.
  bool Leads(float distance) const { return broad() ? distance < entries_[breadth_ - 1].distance : Wants(distance); }
  // True when it is now the nearest open one.
  bool Offer(Candidate candidate);
  // The nearest open one, kNoSlot when there is none.
  Candidate Nearest();
  void CloseNearest() { entries_[cursor_++].slot |= kClosed; }
  // Nearest first.
  Candidate At(size_t i) const { return {entries_[i].distance, entries_[i].slot & ~kClosed}; }

 private:
  static constexpr Slot kClosed = kMaxSlots;

  bool full() const { return size_ == capacity_; }
  size_t PlaceOf(float distance) const;
  void PushToHeap(Candidate candidate);

  size_t breadth_ = 0;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t cursor_ = 0;  // none before it is open
  bool heap_ = false;
  float limit_ = 0;
  std::vector<Candidate> entries_;
};

// Slots seen by a walk; clearing costs what was touched.
class VisitedSet {
 public:
  void Reset(size_t bound);
  // True the first time. What is beyond the bound came after the walk began and counts as seen.
  // Without a jump that depends on what was seen, which nothing could foretell.
  bool Insert(Slot slot) {
    if (slot >= bound_) return false;
    const uint64_t bit = uint64_t{1} << (slot % 64);
    const uint64_t before = words_[slot / 64];
    words_[slot / 64] = before | bit;
    touched_[touched_count_] = slot / 64;
    touched_count_ += before == 0 ? 1 : 0;
    return (before & bit) == 0;
  }
  bool Contains(Slot slot) const { return slot >= bound_ || (words_[slot / 64] >> (slot % 64) & 1) != 0; }

 private:
  size_t bound_ = 0;
  std::vector<uint64_t> words_;
  std::vector<uint32_t> touched_;  // one more than there are words
  size_t touched_count_ = 0;
};

// One walk through the graph towards a target, by one thread, and the memory that it needs, which the next one uses
// again. It may run beside other walks and beside writers, while its ticket is entered.
class Walk {
 public:
  Walk(const HnswGraph& graph, const Codec& codec) : graph_(graph), codec_(codec) {}

  // Towards `target`, which outlives the walk, accepting what has an id and is in `filter` (null: everything). `stop`
  // is asked now and then (null: never). The nearest `ef` are expanded, and the pool will hold at most `capacity`, ef
  // or more. `scan`: there will be no more than Scan().
  void Begin(const CodeTarget& target, size_t ef, size_t capacity, const IdSet* filter = nullptr,
             const std::function<bool()>* stop = nullptr, bool scan = false);

  // After Begin(): the slot is not met. Searching for what is in the graph finds its own links, which makes it easier
  // than a search for anything else.
  void Exclude(Slot slot) {
    excluded_ = slot;
    if (slot != kNoSlot) visited_.Insert(slot);
  }

  // The local minimum on each of the levels from..to+1, the next search starts there.
  Slot Descend(Slot start, size_t from, size_t to);
  // The accepted slots nearest to the target, into the pool; the others are walked through.
  void Collect(Slot start, size_t level);
  // The same on level 0 for a filter that few slots are in: those that AddMatching() named since
  // BeginMatching(). False when it
  // gave up after `budget` distances.
  bool CollectMatching(Slot start, size_t budget);
  void BeginMatching();
  void AddMatching(Slot slot) {
    if (slot < matching_bound_) matching_[slot / 64] |= uint64_t{1} << (slot % 64);
  }
  // Takes down what is staged, before Begin(); then measures those of them that the walk did not meet.
  void NoteStaged() { graph_.CopyStaged(staged_); }
  void ScanStaged();
  // Measures each of `count` slots that is accepted.
  void Scan(const Slot* slots, size_t count);

  Pool& pool() { return pool_; }
  bool stopped() const { return stopped_; }
  size_t measured() const { return measured_; }
  Epochs::Ticket& ticket() { return ticket_; }

 private:
  bool Accepts(Slot slot) const {
    const Id id = graph_.IdOf(slot);
    return id != kNoId && (filter_ == nullptr || filter_->Contains(id));
  }
  bool Matches(Slot slot) const { return slot < matching_bound_ && (matching_[slot / 64] >> (slot % 64) & 1) != 0; }
  void AddBatch(Slot slot) {
    batch_.push_back(slot);
    codes_.push_back(graph_.PrefetchCode(slot));
  }
  void ClearBatch() {
    batch_.clear();
    codes_.clear();
  }
  // The links that were not seen before become the batch.
  void TakeNew(LinkList links);
  void MeasureBatch();
  void Start(Slot start);
  // The nearest that may lead to something better, kNoSlot at the end. It is taken off its queue.
  Slot Next();
  void Keep(Candidate candidate);
  void PushBridge(Candidate candidate);
  void GatherMatching(Slot slot);
  Slot MatchingTwin(Slot slot);
  bool AskStop();

  const HnswGraph& graph_;
  const Codec& codec_;
  Epochs::Ticket ticket_;
  const CodeTarget* target_ = nullptr;
  const IdSet* filter_ = nullptr;
  Slot excluded_ = kNoSlot;
  const std::function<bool()>* stop_ = nullptr;
  bool stopped_ = false;
  size_t since_stop_ = 0;
  size_t measured_ = 0;
  VisitedSet visited_;
  // A walk of two links looks at twenty times what it measures: the bits stay in the cache where ids would not.
  std::vector<uint64_t> matching_;
  size_t matching_bound_ = 0;
  Pool pool_;
  std::vector<Candidate> bridges_;  // a heap, nearest on top: to be expanded, though not accepted
  std::vector<Slot> batch_;
  std::vector<const std::byte*> codes_;  // of the batch
  std::vector<float> distances_;
  std::vector<Slot> failing_;
  std::vector<Slot> staged_;
};

}  // namespace redoubt::vector
