// How HnswIndex takes removed vectors out of its graph.
#include <algorithm>
#include <utility>

#include "vector/hnsw_index.h"
#include "vector/hnsw_lease.h"

namespace redoubt::vector {
namespace {

constexpr size_t kSlotsPerRemoved = 64;  // a sweep over all slots is worth it for one removed of so many
constexpr size_t kFreedTogether = 64;

}  // namespace

bool HnswIndex::Passed(uint64_t time) const {
  std::lock_guard lock(walks_mu_);
  return std::all_of(walks_.begin(), walks_.end(),
                     [time](const auto& walk) { return Epochs::Began(walk->ticket(), time); });
}

bool HnswIndex::WorthARepair() const {
  return !removed_.empty() && removed_.size() * kSlotsPerRemoved >= graph_.bound();
}

bool HnswIndex::HasWork() const {
  if (phase_.load() != RepairPhase::kIdle) return true;
  std::lock_guard lock(mu_);
  return !queue_.empty() || WorthARepair();
}

RepairProgress HnswIndex::Repair(size_t budget) {
  std::unique_lock repair(repair_mu_, std::try_to_lock);
  if (!repair.owns_lock()) return RepairProgress::kNone;
  if (phase_ == RepairPhase::kIdle) {
    std::lock_guard lock(mu_);
    if (!WorthARepair()) return RepairProgress::kNone;
    sealed_ = std::exchange(removed_, {});
    wait_until_ = epochs_.Advance();
    phase_ = RepairPhase::kWaitForWriters;
  }
  if (phase_ == RepairPhase::kWaitForWriters) {
    if (!Passed(wait_until_)) return RepairProgress::kWaiting;
    sweep_at_ = 0;
    sweep_end_ = static_cast<Slot>(graph_.bound());  // what comes later never links to what is removed now
    phase_ = RepairPhase::kSweep;
  }
  if (phase_ == RepairPhase::kSweep) {
    Lease lease(*this);
    for (; sweep_at_ < sweep_end_ && budget > 0; ++sweep_at_, --budget) Mend(sweep_at_);
    if (sweep_at_ < sweep_end_) return RepairProgress::kSome;
    ReplaceEntry();
    wait_until_ = epochs_.Advance();
    phase_ = RepairPhase::kWaitForReaders;
  }
  if (!Passed(wait_until_)) return RepairProgress::kWaiting;
  FreeSealed();
  phase_ = RepairPhase::kIdle;
  return RepairProgress::kSome;
}

void HnswIndex::FreeSealed() {
  for (size_t at = 0; at < sealed_.size();) {
    std::lock_guard lock(mu_);  // not for long: writers wait for it
    for (const size_t end = std::min(at + kFreedTogether, sealed_.size()); at < end; ++at) {
      graph_.ReturnSlot(sealed_[at]);
    }
  }
  sealed_ = {};
}

void HnswIndex::Mend(Slot slot) {
  const size_t levels = graph_.Level(slot);
  for (size_t level = 0; level <= levels; ++level) MendLevel(slot, level);
}

// The live neighbours of the removed ones among `links` that are new to `slot`; the live ones among `links` go to
// `live`.
std::vector<Slot> HnswIndex::LiveBeyond(Slot slot, size_t level, std::span<const Slot> links,
                                        std::vector<Slot>& live) const {
  std::vector<Slot> beyond;
  std::vector<Slot> theirs(graph_.Links(slot, level).capacity);
  for (Slot link : links) {
    if (graph_.IdOf(link) != kNoId) {
      live.push_back(link);
      continue;
    }
    const size_t count = graph_.Links(link, level).CopyTo(theirs.data());
    beyond.insert(beyond.end(), theirs.begin(), theirs.begin() + static_cast<ptrdiff_t>(count));
  }
  std::sort(beyond.begin(), beyond.end());
  beyond.erase(std::unique(beyond.begin(), beyond.end()), beyond.end());
  std::erase_if(beyond, [&](Slot other) {
    return other == slot || graph_.IdOf(other) == kNoId || std::find(live.begin(), live.end(), other) != live.end();
  });
  return beyond;
}

void HnswIndex::MendLevel(Slot slot, size_t level) {
  std::vector<Candidate> added;
  {
    LinkList links = graph_.Links(slot, level);
    std::vector<Slot> slots(links.capacity);
    auto removed = [this](Slot link) { return graph_.IdOf(link) == kNoId; };
    HnswGraph::NodeLock lock(graph_, slot);  // else a link that a writer moves could be missed
    slots.resize(links.CopyTo(slots.data()));
    if (std::none_of(slots.begin(), slots.end(), removed)) return;
    std::vector<Slot> live;
    const std::vector<Slot> beyond = LiveBeyond(slot, level, slots, live);
    std::vector<Candidate> candidates = MeasureFrom(slot, live);
    if (graph_.IdOf(slot) != kNoId) {  // a removed one only has to let go
      std::vector<Candidate> offered = MeasureFrom(slot, beyond);
      std::sort(offered.begin(), offered.end());
      candidates.insert(candidates.end(), offered.begin(), offered.end());
    }
    candidates = Select(std::move(candidates), links.capacity, live.size());
    for (size_t i = 0; i < links.capacity; ++i) links.Set(i, i < candidates.size() ? candidates[i].slot : kNoSlot);
    added.assign(candidates.begin() + static_cast<ptrdiff_t>(live.size()), candidates.end());
  }
  for (const Candidate& neighbour : added) AddLink(neighbour.slot, slot, level);
}

// A removed entry would be kept alive by its role: the live vector with the most levels takes it over.
void HnswIndex::ReplaceEntry() {
  std::lock_guard entry_lock(entry_mu_);
  const Entry entry = LoadEntry();
  if (entry.slot == kNoSlot || graph_.IdOf(entry.slot) != kNoId) return;
  Entry best;
  const auto bound = static_cast<Slot>(graph_.bound());
  for (Slot slot = 0; slot < bound; ++slot) {
    if (graph_.IdOf(slot) == kNoId || graph_.IsStaged(slot)) continue;  // nothing leads on from a staged one
    const auto level = static_cast<uint32_t>(graph_.Level(slot));
    if (best.slot == kNoSlot || level > best.level) best = {slot, level};
  }
  StoreEntry(best);
}

}  // namespace redoubt::vector
