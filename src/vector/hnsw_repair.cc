// How HnswIndex takes removed vectors out of its graph.
#include <algorithm>
#include <utility>

#include "vector/hnsw_index.h"
#include "vector/hnsw_lease.h"

namespace redoubt::vector {
namespace {

constexpr size_t kSlotsPerRemoved = 64;  // a sweep over all slots is worth it for one removed of so many
constexpr size_t kFreedTogether = 64;
constexpr size_t kMendedTogether = 64;
constexpr size_t kRingRounds = 6;  // 64 times as far in each: enough for 2^36 in a row, more than there are slots
constexpr size_t kNodesPerReconnection = 1000;  // what it costs beside a look at the links of a node

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
  if (phase_.load() != RepairPhase::kIdle || (WantsTuning() && !tuning_.load())) return true;
  std::lock_guard lock(mu_);
  return !queue_.empty() || WorthARepair();
}

RepairProgress HnswIndex::Repair(size_t budget, base::ForkGate* gate) {
  std::unique_lock repair(repair_mu_, std::try_to_lock);
  if (!repair.owns_lock()) return RepairProgress::kNone;
  if (phase_ == RepairPhase::kIdle) {
    std::lock_guard lock(mu_);
    if (!WorthARepair()) return RepairProgress::kNone;
    sealed_ = std::exchange(removed_, {});
    sealed_set_ = IdSet(graph_.bound());
    for (Slot slot : sealed_) sealed_set_.Insert(slot);
    wait_until_ = epochs_.Advance();
    phase_ = RepairPhase::kWaitForWriters;
  }
  if (phase_ == RepairPhase::kWaitForWriters) {
    if (!Passed(wait_until_)) return RepairProgress::kWaiting;
    rings_at_ = 0;
    rings_left_ = false;
    ring_rounds_ = kRingRounds;
    phase_ = RepairPhase::kShortenRings;
  }
  if (phase_ == RepairPhase::kShortenRings) {
    if (!ShortenRings(budget, gate)) return RepairProgress::kSome;
    sweep_at_ = 0;
    sweep_end_ = static_cast<Slot>(graph_.bound());  // what comes later never links to what is removed now
    phase_ = RepairPhase::kMend;
  }
  if (phase_ == RepairPhase::kMend) {
    while (sweep_at_ < sweep_end_ && budget > 0) MendSome(budget, gate);
    if (sweep_at_ < sweep_end_) return RepairProgress::kSome;
    ReplaceEntry();
    wait_until_ = epochs_.Advance();
    phase_ = RepairPhase::kWaitForReaders;
  }
  if (!Passed(wait_until_)) return RepairProgress::kWaiting;
  FreeSealed(gate);
  phase_ = RepairPhase::kIdle;
  return RepairProgress::kSome;
}

void HnswIndex::MendSome(size_t& budget, base::ForkGate* gate) {
  base::ForkGate::Pass pass(gate);
  Lease lease(*this);
  const Slot end = sweep_at_ + static_cast<Slot>(std::min<size_t>(kMendedTogether, sweep_end_ - sweep_at_));
  for (bool reconnected = false; sweep_at_ < end && budget > 0 && !reconnected; ++sweep_at_, --budget) {
    reconnected = MostLinksLost(sweep_at_);
    if (reconnected) budget -= std::min(budget - 1, kNodesPerReconnection);
    Mend(sweep_at_, *lease);
  }
}

void HnswIndex::FreeSealed(base::ForkGate* gate) {
  for (size_t at = 0; at < sealed_.size();) {
    base::ForkGate::Pass pass(gate);
    std::lock_guard lock(mu_);  // not for long: writers wait for it
    for (const size_t end = std::min(at + kFreedTogether, sealed_.size()); at < end; ++at) {
      graph_.ReturnSlot(sealed_[at]);
    }
  }
  sealed_ = {};
}

bool HnswIndex::MostLinksLost(Slot slot) const {
  if (graph_.IdOf(slot) == kNoId) return false;
  LinkList links = graph_.Links(slot, 0);
  size_t count = 0;
  size_t lost = 0;
  for (Slot link; count < links.room && (link = links.Get(count)) != kNoSlot; ++count) {
    lost += graph_.IdOf(link) == kNoId ? 1 : 0;
  }
  return 2 * lost > count;
}

// Where most of the neighbours went, theirs may have gone, too: then what is near is looked for as for a new vector.
// Removed nodes keep their links until they are free, so they still lead on.
void HnswIndex::Mend(Slot slot, Walk& walk) {
  if (sealed_set_.Contains(slot)) return;
  const bool reconnect = MostLinksLost(slot) && !graph_.IsStaged(slot);
  const size_t levels = graph_.Level(slot);
  MendTwin(slot);
  for (size_t level = 0; level <= levels; ++level) MendLevel(slot, level);
  if (reconnect) Reconnect(slot, walk);
}

struct HnswIndex::Neighbourhood {
  std::vector<Slot> live;     // linked
  std::vector<Slot> removed;  // linked, and not to be free yet
  std::vector<Slot> beyond;   // linked from those that are to be free, live, and new
};

HnswIndex::Neighbourhood HnswIndex::Look(Slot slot, size_t level, std::span<const Slot> links) const {
  Neighbourhood found;
  std::vector<Slot>& beyond = found.beyond;
  std::vector<Slot> theirs(graph_.Links(slot, level).capacity);
  for (Slot link : links) {
    if (!sealed_set_.Contains(link)) {
      (graph_.IdOf(link) != kNoId ? found.live : found.removed).push_back(link);
      continue;
    }
    const size_t count = graph_.Links(link, level).CopyTo(theirs.data());
    beyond.insert(beyond.end(), theirs.begin(), theirs.begin() + static_cast<ptrdiff_t>(count));
    const Slot twin = level == 0 ? LiveTwin(link) : kNoSlot;
    if (twin != kNoSlot) beyond.push_back(twin);
  }
  std::sort(beyond.begin(), beyond.end());
  beyond.erase(std::unique(beyond.begin(), beyond.end()), beyond.end());
  std::erase_if(beyond, [&](Slot other) {
    return other == slot || graph_.IdOf(other) == kNoId || (level == 0 && AreTwins(slot, other)) ||
           std::find(found.live.begin(), found.live.end(), other) != found.live.end();
  });
  return found;
}

void HnswIndex::MendLevel(Slot slot, size_t level) {
  std::vector<Candidate> added;
  {
    LinkList links = graph_.Links(slot, level);
    std::vector<Slot> slots(links.capacity);
    HnswGraph::NodeLock lock(graph_, slot);  // else a link that a writer moves could be missed
    slots.resize(links.CopyTo(slots.data()));
    if (std::none_of(slots.begin(), slots.end(), [this](Slot link) { return sealed_set_.Contains(link); })) return;
    const Neighbourhood found = Look(slot, level, slots);
    std::vector<Candidate> candidates = MeasureFrom(slot, found.live);
    std::vector<Candidate> offered = MeasureFrom(slot, found.beyond);
    std::sort(offered.begin(), offered.end());
    candidates.insert(candidates.end(), offered.begin(), offered.end());
    candidates = Select(std::move(candidates), links.room, found.live.size());
    added.assign(candidates.begin() + static_cast<ptrdiff_t>(found.live.size()), candidates.end());
    slots.clear();
    for (const Candidate& candidate : candidates) slots.push_back(candidate.slot);
    slots.insert(slots.end(), found.removed.begin(), found.removed.end());
    slots.resize(std::min(slots.size(), links.room));
    links.Replace(slots);
  }
  if (graph_.IdOf(slot) == kNoId) return;  // nobody has to come to it any more
  for (const Candidate& neighbour : added) AddLink(neighbour.slot, slot, level);
}

// The level on which a search may begin there: a twin has links on level 0 only, whatever its tower.
uint32_t HnswIndex::HighestLinked(Slot slot) const {
  auto level = static_cast<uint32_t>(graph_.Level(slot));
  while (level > 0 && graph_.Links(slot, level).Get(0) == kNoSlot) --level;
  return level;
}

// A removed entry would be kept alive by its role: the live vector with the most levels takes it over. Where all are
// staged still, one that was removed later does, as it may lead to those that are being linked.
void HnswIndex::ReplaceEntry() {
  std::lock_guard entry_lock(entry_mu_);
  const Entry entry = LoadEntry();
  if (entry.slot == kNoSlot || graph_.IdOf(entry.slot) != kNoId) return;
  Entry best;
  Entry best_removed;
  const auto bound = static_cast<Slot>(graph_.bound());
  for (Slot slot = 0; slot < bound; ++slot) {
    if (graph_.IsStaged(slot) || sealed_set_.Contains(slot)) continue;  // nothing leads on from a staged one
    const uint32_t level = HighestLinked(slot);
    const bool live = graph_.IdOf(slot) != kNoId;
    if (!live && level == 0 && graph_.Links(slot, 0).Get(0) == kNoSlot) continue;  // nothing, or it leads nowhere
    Entry& of_its_kind = live ? best : best_removed;
    if (of_its_kind.slot == kNoSlot || level > of_its_kind.level) of_its_kind = {slot, level};
  }
  StoreEntry(best.slot != kNoSlot ? best : best_removed);
}

}  // namespace redoubt::vector
