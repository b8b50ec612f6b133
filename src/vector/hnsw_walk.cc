#include "vector/hnsw_walk.h"

#include <algorithm>
#include <cstring>

namespace redoubt::vector {
namespace {

constexpr size_t kMeasuredBetweenStops = 4096;  // about 100 us of work
constexpr size_t kScanChunk = 64;

// For heaps of the standard library, which have the greatest on top.
bool Farther(const Candidate& a, const Candidate& b) { return b < a; }

}  // namespace

void Pool::Reset(size_t breadth, size_t capacity, bool heap) {
  breadth_ = breadth;
  capacity_ = capacity;
  heap_ = heap;
  size_ = 0;
  cursor_ = 0;
  limit_ = std::numeric_limits<float>::infinity();
  if (entries_.size() < std::min<size_t>(capacity, 1024)) entries_.resize(std::min<size_t>(capacity, 1024));
}

bool Pool::Offer(Candidate candidate) {
  if (capacity_ == 0) return false;
  if (size_ == entries_.size() && size_ < capacity_) entries_.resize(std::min(capacity_, 2 * size_));
  if (heap_) {
    PushToHeap(candidate);
    return false;
  }
  const size_t low = PlaceOf(candidate.distance);
  if (low == capacity_) return false;
  if (!full()) ++size_;
  std::memmove(&entries_[low + 1], &entries_[low], (size_ - 1 - low) * sizeof(Candidate));
  entries_[low] = candidate;
  if (full()) limit_ = entries_[size_ - 1].distance;
  if (low > cursor_) return false;
  cursor_ = low;
  return true;
}

// Behind those that are as near. A search by halves whose steps are additions: jumps would be wrong every second time.
size_t Pool::PlaceOf(float distance) const {
  const Candidate* base = entries_.data();
  size_t left = size_;
  while (left > 1) {
    const size_t half = left / 2;
    base += half & (size_t{0} - static_cast<size_t>(base[half - 1].distance <= distance));
    left -= half;
  }
  return static_cast<size_t>(base - entries_.data()) + (left == 1 && base->distance <= distance ? 1 : 0);
}

void Pool::PushToHeap(Candidate candidate) {
  if (full()) {
    std::pop_heap(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(size_));
  } else {
    ++size_;
  }
  entries_[size_ - 1] = candidate;
  std::push_heap(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(size_));
  if (full()) limit_ = entries_[0].distance;
}

void Pool::Sort() {
  if (heap_) std::sort_heap(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(size_));
  heap_ = false;
}

Candidate Pool::Nearest() {
  const size_t end = std::min(size_, breadth_);
  while (cursor_ < end && (entries_[cursor_].slot & kClosed) != 0) ++cursor_;
  return cursor_ < end ? entries_[cursor_] : Candidate();
}

void VisitedSet::Reset(size_t bound) {
  for (size_t i = 0; i < touched_count_; ++i) words_[touched_[i]] = 0;
  touched_count_ = 0;
  if (words_.size() < (bound + 63) / 64) words_.resize((bound + 63) / 64 + words_.size() / 4);
  touched_.resize(words_.size() + 1);
  bound_ = bound;
}

void Walk::Begin(const CodeTarget& target, size_t ef, size_t capacity, const IdSet* filter,
                 const std::function<bool()>* stop, bool scan) {
  target_ = &target;
  filter_ = filter;
  excluded_ = kNoSlot;
  stop_ = stop;
  stopped_ = false;
  since_stop_ = 0;
  measured_ = 0;
  bridges_.clear();
  visited_.Reset(graph_.bound());
  pool_.Reset(ef, capacity, scan);
}

void Walk::TakeNew(LinkList links) {
  batch_.resize(links.capacity);
  size_t count = 0;
  for (size_t i = links.capacity; i-- > 0;) {
    batch_[count] = links.Get(i);
    count += visited_.Insert(batch_[count]) ? 1 : 0;  // not where there is no link: that is beyond the bound
  }
  batch_.resize(count);
  codes_.resize(count);
  for (size_t i = 0; i < count; ++i) codes_[i] = graph_.PrefetchCode(batch_[i]);
}

void Walk::MeasureBatch() {
  distances_.resize(batch_.size());
  codec_.Measure(*target_, codes_.data(), batch_.size(), distances_.data());
  measured_ += batch_.size();
}

bool Walk::AskStop() {
  if (stop_ == nullptr || !*stop_ || measured_ - since_stop_ < kMeasuredBetweenStops) return false;
  since_stop_ = measured_;
  stopped_ = (*stop_)();
  return stopped_;
}

Slot Walk::Descend(Slot start, size_t from, size_t to) {
  ClearBatch();
  AddBatch(start);
  MeasureBatch();
  Candidate best = {distances_[0], start};
  if (start == excluded_) best.distance = std::numeric_limits<float>::infinity();
  // What was measured on a level above was no nearer, or is where the search stands.
  for (size_t level = from; level > to; --level) {
    for (bool moved = true; moved;) {
      moved = false;
      TakeNew(graph_.Links(best.slot, level));
      MeasureBatch();
      for (size_t i = 0; i < batch_.size(); ++i) {
        if (!(distances_[i] < best.distance)) continue;
        best = {distances_[i], batch_[i]};
        moved = true;
      }
    }
  }
  visited_.Reset(graph_.bound());
  Exclude(excluded_);
  return best.slot;
}

void Walk::PushBridge(Candidate candidate) {
  bridges_.push_back(candidate);
  std::push_heap(bridges_.begin(), bridges_.end(), Farther);
}

void Walk::Keep(Candidate candidate) {
  if (!pool_.Wants(candidate.distance)) return;
  if (Accepts(candidate.slot)) {
    if (pool_.Offer(candidate)) graph_.PrefetchLinks(candidate.slot);  // likely the next to be expanded
  } else if (pool_.Leads(candidate.distance)) {
    PushBridge(candidate);
  }
}

void Walk::Start(Slot start) {
  if (!visited_.Insert(start)) return;
  ClearBatch();
  AddBatch(start);
  MeasureBatch();
  Keep({distances_[0], start});
}

Slot Walk::Next() {
  const Candidate open = pool_.Nearest();
  const bool bridge = !bridges_.empty() && (open.slot == kNoSlot || bridges_.front() < open);
  if (!bridge) {
    if (open.slot == kNoSlot) return kNoSlot;
    pool_.CloseNearest();
    const Candidate then = pool_.Nearest();
    if (then.slot != kNoSlot) graph_.PrefetchLinks(then.slot);
    return open.slot;
  }
  const Candidate nearest = bridges_.front();
  if (!pool_.Leads(nearest.distance)) return kNoSlot;  // and so are all the others: open ones are within the limit
  std::pop_heap(bridges_.begin(), bridges_.end(), Farther);
  bridges_.pop_back();
  return nearest.slot;
}

void Walk::Collect(Slot start, size_t level) {
  Start(start);
  for (Slot at = Next(); at != kNoSlot && !AskStop(); at = Next()) {
    TakeNew(graph_.Links(at, level));
    MeasureBatch();
    for (size_t i = 0; i < batch_.size(); ++i) Keep({distances_[i], batch_[i]});
  }
}

void Walk::BeginMatching() {
  matching_bound_ = graph_.bound();
  matching_.assign((matching_bound_ + 63) / 64, 0);
}

// The next in a ring of twins that matches and is new. The others have been seen then: what they lead to besides, the
// one that was met first does, too.
Slot Walk::MatchingTwin(Slot slot) {
  for (Slot twin = graph_.Twin(slot); twin != kNoSlot && visited_.Insert(twin); twin = graph_.Twin(twin)) {
    if (Matches(twin)) return twin;
  }
  return kNoSlot;
}

// The matching ones among the neighbours, and among the neighbours of those that do not match.
void Walk::GatherMatching(Slot slot) {
  const size_t enough = 4 * graph_.m();
  ClearBatch();
  failing_.clear();
  LinkList links = graph_.Links(slot, 0);
  for (size_t i = links.capacity; i-- > 0;) {
    const Slot neighbour = links.Get(i);
    if (neighbour == kNoSlot) continue;
    if (visited_.Contains(neighbour)) continue;
    if (Matches(neighbour)) {
      visited_.Insert(neighbour);
      AddBatch(neighbour);
    } else {
      graph_.PrefetchLinks(neighbour);
      failing_.push_back(neighbour);
    }
  }
  size_t seen = 0;
  for (; seen < failing_.size() && batch_.size() < enough; ++seen) {
    visited_.Insert(failing_[seen]);
    LinkList beyond = graph_.Links(failing_[seen], 0);
    for (size_t i = beyond.capacity; i-- > 0;) {
      const Slot neighbour = beyond.Get(i);
      if (neighbour == kNoSlot) continue;
      if (Matches(neighbour) && visited_.Insert(neighbour)) AddBatch(neighbour);
    }
    const Slot twin = MatchingTwin(failing_[seen]);
    if (twin != kNoSlot) AddBatch(twin);
  }
  failing_.resize(seen);
  if (pool_.broad()) return;
  for (Slot bridge : failing_) AddBatch(bridge);  // Keep() tells them apart
}

bool Walk::CollectMatching(Slot start, size_t budget) {
  Start(start);
  for (Slot at = Next(); at != kNoSlot && !AskStop(); at = Next()) {
    GatherMatching(at);
    MeasureBatch();
    for (size_t i = 0; i < batch_.size(); ++i) Keep({distances_[i], batch_[i]});
    if (measured_ > budget) return false;
  }
  return true;
}

void Walk::ScanStaged() {
  std::erase_if(staged_, [this](Slot slot) { return !visited_.Insert(slot); });
  Scan(staged_.data(), staged_.size());
}

void Walk::Scan(const Slot* slots, size_t count) {
  for (size_t at = 0; at < count && !AskStop(); at += kScanChunk) {
    ClearBatch();
    const size_t end = std::min(count, at + kScanChunk);
    for (size_t i = at; i < end; ++i) graph_.PrefetchHead(slots[i]);
    for (size_t i = at; i < end; ++i) {
      if (Accepts(slots[i])) AddBatch(slots[i]);  // before its code is read: one without an id may be being written
    }
    MeasureBatch();
    for (size_t i = 0; i < batch_.size(); ++i) {
      if (pool_.Wants(distances_[i])) pool_.Offer({distances_[i], batch_[i]});
    }
  }
}

}  // namespace redoubt::vector
