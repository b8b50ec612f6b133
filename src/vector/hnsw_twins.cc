// Nodes with the same code. Among equal distances nothing tells which links are worth their place, and more of them
// than a node has links would hide each other and all that is behind them. So they stand in a ring, by one link of
// each.
#include <algorithm>
#include <utility>

#include "vector/hnsw_index.h"

namespace redoubt::vector {
namespace {

constexpr size_t kTwinsPassed =
    64;  // of a run of removed ones, in one step; 64 such steps are well below a millisecond

}  // namespace

// Takes the twins of `slot` off `found`, which is sorted, and answers the first. They may have crowded out all others:
// then the links of that twin, whose place is the same, are as good.
Slot HnswIndex::TakeTwins(Slot slot, std::vector<Candidate>& found) const {
  const auto others = std::stable_partition(found.begin(), found.end(),
                                            [&](const Candidate& candidate) { return AreTwins(slot, candidate.slot); });
  if (others == found.begin()) return kNoSlot;
  const Slot twin = found.front().slot;
  found.erase(found.begin(), others);
  LinkList links = graph_.Links(twin, 0);
  std::vector<Slot> theirs(links.capacity);
  theirs.resize(links.CopyTo(theirs.data()));
  std::erase_if(theirs, [&](Slot other) {
    const auto is_other = [other](const Candidate& candidate) { return candidate.slot == other; };
    return other == slot || graph_.IdOf(other) == kNoId || AreTwins(slot, other) ||
           std::any_of(found.begin(), found.end(), is_other);
  });
  const std::vector<Candidate> more = MeasureFrom(slot, theirs);
  found.insert(found.end(), more.begin(), more.end());
  std::sort(found.begin(), found.end());
  return twin;
}

// Puts `slot` behind `twin`, before the next that is there: the removed ones in between may be repaired already.
void HnswIndex::JoinTwins(Slot slot, Slot twin) const {
  HnswGraph::NodeLock lock(graph_, twin);
  const Slot next = LiveTwin(twin);
  graph_.SetTwin(slot, next != kNoSlot ? next : twin);
  graph_.SetTwin(twin, slot);
}

// The next in the ring that is there and not `slot` itself; kNoSlot when there is none. However many removed ones lie
// in between: who gave up would cut off all behind them. The way ends where the ring comes round, which is at `slot`,
// or, if that was passed over, at a mark that is set further and further on (Brent 1980).
Slot HnswIndex::LiveTwin(Slot slot) const {
  Slot mark = slot;
  size_t next_mark = kTwinsPassed;
  size_t steps = 0;
  for (Slot at = graph_.Twin(slot); at != kNoSlot && at != slot && at != mark; at = graph_.Twin(at)) {
    if (graph_.IdOf(at) != kNoId) return at;
    if (++steps < next_mark) continue;
    mark = at;
    next_mark *= 2;
  }
  return kNoSlot;
}

// Those that are to be free are led past each other, so that nobody has to go through a long run of them at once. In
// every round each takes kTwinsPassed steps, of that many as those behind it took in the last: few rounds do for all.
bool HnswIndex::ShortenRings(size_t& budget, base::ForkGate* gate) {
  while (ring_rounds_ > 0 && budget > 0) {
    base::ForkGate::Pass pass(gate);
    const size_t end = std::min(rings_at_ + kTwinsPassed, sealed_.size());
    for (; rings_at_ < end; ++rings_at_) rings_left_ = PassSealedTwins(sealed_[rings_at_]) || rings_left_;
    budget -= std::min(budget, kTwinsPassed);
    if (rings_at_ < sealed_.size()) continue;
    rings_at_ = 0;
    ring_rounds_ = std::exchange(rings_left_, false) ? ring_rounds_ - 1 : 0;
  }
  return ring_rounds_ == 0;
}

// True when the run may go on. Nobody else writes the link: new twins stand behind live ones, and who met this one as
// such has left.
bool HnswIndex::PassSealedTwins(Slot slot) const {
  Slot next = graph_.Twin(slot);
  for (size_t i = 0; i < kTwinsPassed; ++i) {
    if (next == kNoSlot || !sealed_set_.Contains(next)) {
      if (i > 0) graph_.SetTwin(slot, next);
      return false;
    }
    next = graph_.Twin(next);
    if (next == slot) return false;  // none is left of this ring
  }
  graph_.SetTwin(slot, next);
  return true;
}

void HnswIndex::MendTwin(Slot slot) const {
  HnswGraph::NodeLock lock(graph_, slot);
  Slot next = graph_.Twin(slot);
  if (next == kNoSlot || !sealed_set_.Contains(next)) return;
  // Few, after ShortenRings(); all of them sealed where the ring has come to an end.
  for (size_t i = 0; i < kTwinsPassed && next != kNoSlot && sealed_set_.Contains(next); ++i) next = graph_.Twin(next);
  const bool found = next != kNoSlot && next != slot && !sealed_set_.Contains(next);
  graph_.SetTwin(slot, found ? next : kNoSlot);
}

}  // namespace redoubt::vector
