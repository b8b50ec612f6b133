// Nodes with the same code. Among equal distances nothing tells which links are worth their place, and more of them
// than a node has links would hide each other and all that is behind them. So they stand in a ring, by one link of
// each.
#include <algorithm>

#include "vector/hnsw_index.h"

namespace redoubt::vector {
namespace {

constexpr size_t kTwinsTried = 1000;  // of a run of removed ones, for who looks for a way around it

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

// The next in the ring that is there and not `slot` itself; kNoSlot when there is none in reach.
Slot HnswIndex::LiveTwin(Slot slot) const {
  Slot at = graph_.Twin(slot);
  for (size_t i = 0; i < kTwinsTried && at != kNoSlot && at != slot; ++i) {
    if (graph_.IdOf(at) != kNoId) return at;
    at = graph_.Twin(at);
  }
  return kNoSlot;
}

void HnswIndex::MendTwin(Slot slot) const {
  HnswGraph::NodeLock lock(graph_, slot);
  Slot next = graph_.Twin(slot);
  if (next == kNoSlot || !sealed_set_.Contains(next)) return;
  for (size_t i = 0; i < sealed_.size() && next != kNoSlot && sealed_set_.Contains(next); ++i) next = graph_.Twin(next);
  const bool found = next != kNoSlot && next != slot && !sealed_set_.Contains(next);
  graph_.SetTwin(slot, found ? next : kNoSlot);
}

}  // namespace redoubt::vector
