// How HnswIndex links a new vector.
#include <algorithm>
#include <functional>
#include <new>
#include <string_view>
#include <utility>

#include "vector/hnsw_index.h"
#include "vector/hnsw_lease.h"

namespace redoubt::vector {

std::vector<Candidate> HnswIndex::MeasureFrom(Slot from, std::span<const Slot> slots) const {
  std::vector<const std::byte*> codes;
  std::vector<Candidate> candidates;
  std::vector<float> distances(slots.size());
  codes.reserve(slots.size());
  candidates.reserve(slots.size());
  for (Slot slot : slots) codes.push_back(graph_.Code(slot));
  CodeTarget target;
  codec_.SetTarget(graph_.Code(from), target);
  codec_.Measure(target, codes.data(), codes.size(), distances.data());
  for (size_t i = 0; i < slots.size(); ++i) candidates.push_back({distances[i], slots[i]});
  return candidates;
}

// Algorithm 4: in order of distance, a candidate that is nearer to one already chosen than to the node itself is
// reached through that one; so is its twin. The first `kept` are chosen beforehand.
std::vector<Candidate> HnswIndex::Select(std::vector<Candidate> sorted, size_t limit, size_t kept) const {
  constexpr size_t kTogether = 8;  // the nearest chosen ones decide most cases
  std::vector<const std::byte*> chosen;
  chosen.reserve(limit);
  for (size_t i = 0; i < kept; ++i) chosen.push_back(graph_.Code(sorted[i].slot));
  size_t out = kept;
  CodeTarget target;
  for (size_t i = kept; i < sorted.size() && out < limit; ++i) {
    const std::byte* code = graph_.Code(sorted[i].slot);
    codec_.SetTarget(code, target);
    bool covered = false;
    for (size_t at = 0; at < chosen.size() && !covered; at += kTogether) {
      float distances[kTogether];
      const size_t count = std::min(kTogether, chosen.size() - at);
      codec_.Measure(target, chosen.data() + at, count, distances);
      for (size_t c = 0; c < count && !covered; ++c) {
        covered = distances[c] < sorted[i].distance ||
                  (distances[c] == sorted[i].distance && codec_.Same(code, chosen[at + c]));
      }
    }
    if (covered) continue;
    chosen.push_back(code);
    sorted[out++] = sorted[i];
  }
  sorted.resize(std::min(out, sorted.size()));
  return sorted;
}

bool HnswIndex::IsAlone(Slot slot) const {
  return graph_.Links(slot, 0).Get(0) == kNoSlot && graph_.Twin(slot) == kNoSlot;
}

bool HnswIndex::BecomeFirstEntry(Slot slot) {
  if (LoadEntry().slot != kNoSlot) return false;
  std::lock_guard lock(entry_mu_);
  if (LoadEntry().slot != kNoSlot) return false;
  StoreEntry({slot, static_cast<uint32_t>(graph_.Level(slot))});
  return true;
}

// A node is the entry if it is higher than the present one, or if there is nothing alive that it could be reached from.
void HnswIndex::OfferEntry(Slot slot) {
  const auto level = static_cast<uint32_t>(graph_.Level(slot));
  const bool alone = IsAlone(slot);
  if (level <= LoadEntry().level && !alone) return;
  std::lock_guard lock(entry_mu_);
  const Entry entry = LoadEntry();
  if (level > entry.level || (alone && (entry.slot == kNoSlot || graph_.IdOf(entry.slot) == kNoId))) {
    StoreEntry({slot, level});
  }
}

HnswIndex::Neighbours HnswIndex::ChooseNeighbours(Slot slot, Entry entry, Walk& walk) const {
  const size_t top = std::min<size_t>(graph_.Level(slot), entry.level);
  Neighbours chosen;
  chosen.by_level.resize(top + 1);
  CodeTarget target;
  codec_.SetTarget(graph_.Code(slot), target);
  walk.Begin(target, options_.ef_construction, options_.ef_construction);
  Slot start = walk.Descend(entry.slot, entry.level, top);
  for (size_t level = top + 1; level-- > 0;) {
    walk.Begin(target, options_.ef_construction, options_.ef_construction);
    walk.Collect(start, level);
    Pool& pool = walk.pool();
    std::vector<Candidate> found;
    found.reserve(pool.size());
    for (size_t i = 0; i < pool.size(); ++i) {
      if (pool.At(i).slot != slot) found.push_back(pool.At(i));
    }
    if (!found.empty()) start = found[0].slot;
    if (level == 0) chosen.twin = TakeTwins(slot, found);
    chosen.by_level[level] = Select(std::move(found), options_.m);
  }
  return chosen;
}

void HnswIndex::Connect(Slot slot, Walk& walk) {
  if (BecomeFirstEntry(slot)) return;
  const Entry entry = LoadEntry();
  if (entry.slot == kNoSlot) return OfferEntry(slot);
  Neighbours neighbours = ChooseNeighbours(slot, entry, walk);
  std::vector<std::vector<Candidate>>& chosen = neighbours.by_level;
  // Of twins the first has the links from afar; whoever came in at another would meet nothing but twins.
  if (neighbours.twin != kNoSlot) chosen.resize(1);
  // On all levels first, then known to others from below: nobody comes to this node on a level where it has no links.
  for (size_t level = 0; level < chosen.size(); ++level) {
    LinkList links = graph_.Links(slot, level);
    for (size_t i = 0; i < chosen[level].size(); ++i) links.Set(i, chosen[level][i].slot);
  }
  if (neighbours.twin != kNoSlot) JoinTwins(slot, neighbours.twin);
  for (size_t level = 0; level < chosen.size(); ++level) {
    for (const Candidate& neighbour : chosen[level]) AddLink(neighbour.slot, slot, level);
  }
  if (neighbours.twin == kNoSlot || graph_.IdOf(neighbours.twin) == kNoId) OfferEntry(slot);
}

void HnswIndex::Reconnect(Slot slot, Walk& walk) {
  const Entry entry = LoadEntry();
  if (entry.slot == kNoSlot) return;
  const std::vector<std::vector<Candidate>> chosen = ChooseNeighbours(slot, entry, walk).by_level;
  for (size_t level = 0; level < chosen.size(); ++level) {
    for (const Candidate& neighbour : chosen[level]) {
      AddLink(slot, neighbour.slot, level);
      AddLink(neighbour.slot, slot, level);
    }
  }
}

void HnswIndex::AddLink(Slot from, Slot to, size_t level) const {
  HnswGraph::NodeLock lock(graph_, from);
  LinkList links = graph_.Links(from, level);
  std::vector<Slot> slots(links.room + 1);
  const size_t count = links.CopyTo(slots.data());
  if (std::find(slots.begin(), slots.begin() + static_cast<ptrdiff_t>(count), to) !=
      slots.begin() + static_cast<ptrdiff_t>(count)) {
    return;
  }
  if (count < links.room) {
    links.Set(count, to);
    return;
  }
  slots[count] = to;
  std::vector<Candidate> candidates = MeasureFrom(from, slots);
  std::sort(candidates.begin(), candidates.end());
  candidates = SelectLive(std::move(candidates), links.room);
  slots.clear();
  for (const Candidate& candidate : candidates) slots.push_back(candidate.slot);
  links.Replace(slots);
}

// As Select() among those that are there, then the removed ones while there is room, as they may lead on until they are
// repaired. A removed one must cover nothing: a vector that is written again lies where its old place was, and nobody
// would link to it.
std::vector<Candidate> HnswIndex::SelectLive(std::vector<Candidate> sorted, size_t limit) const {
  const auto removed = std::stable_partition(sorted.begin(), sorted.end(), [this](const Candidate& candidate) {
    return graph_.IdOf(candidate.slot) != kNoId;
  });
  const std::vector<Candidate> bridges(removed, sorted.end());
  sorted.erase(removed, sorted.end());
  sorted = Select(std::move(sorted), limit);
  const size_t room = std::min(limit - sorted.size(), bridges.size());
  sorted.insert(sorted.end(), bridges.begin(), bridges.begin() + static_cast<ptrdiff_t>(room));
  return sorted;
}

// Room for the next vectors, so that whoever places one hardly ever has to make it.
void HnswIndex::GrowAhead(base::ForkGate* gate) {
  std::unique_lock grow(grow_mu_, std::try_to_lock);
  if (!grow.owns_lock()) return;
  BlockStore& records = graph_.records();
  size_t blocks = 0;
  {
    std::lock_guard lock(mu_);
    blocks = records.ChunkToAdd(graph_.bound());
  }
  if (blocks == 0) return;
  base::Result<base::Buffer> chunk = records.MakeChunk(blocks);
  if (!chunk.ok()) return;  // perhaps there is room for a single block when one is needed
  std::vector<BlockStore::Range> ranges;
  {
    base::ForkGate::Pass pass(gate);
    std::lock_guard lock(mu_);
    (void)records.Adopt(std::move(*chunk));
    ranges = records.TakeHugeRanges();
  }
  BlockStore::UseHugePages(ranges);
}

std::mutex& HnswIndex::LockOf(const std::byte* code) {
  const std::string_view bytes(reinterpret_cast<const char*>(code), codec_.code_bytes());
  return code_mu_[std::hash<std::string_view>()(bytes) % code_mu_.size()];
}

// Those removed meanwhile were never linked; searches may still read them. With `locked` only a slot whose code is
// locked for no other thread, and it is then.
Slot HnswIndex::TakeQueued(CodeLock* locked) {
  std::lock_guard lock(mu_);
  while (!queue_.empty()) {
    const Slot slot = queue_.front();
    if (locked != nullptr && graph_.IdOf(slot) != kNoId) {
      *locked = CodeLock(LockOf(graph_.Code(slot)), std::try_to_lock);  // who holds it may be waiting for mu_
      if (!locked->owns_lock()) return kNoSlot;
    }
    if (graph_.IdOf(slot) == kNoId) removed_.push_back(slot);
    queue_.pop_front();
    graph_.SetQueued(slot, false);
    if (graph_.IdOf(slot) != kNoId) return slot;
    graph_.ClearStaged(slot);
  }
  return kNoSlot;
}

// Of equal vectors that are linked at the same time the second is to meet the first, so that they become twins.
void HnswIndex::ConnectPlaced(Slot slot, Walk& walk) {
  std::lock_guard lock(LockOf(graph_.Code(slot)));
  ConnectLocked(slot, walk);
}

// Of nodes that come while the entry is being replaced one can miss all others.
void HnswIndex::ConnectLocked(Slot slot, Walk& walk) {
  constexpr int kAttempts = 4;
  for (int i = 0; i < kAttempts; ++i) {
    Connect(slot, walk);
    if (!IsAlone(slot) || LoadEntry().slot == slot || graph_.IdOf(slot) == kNoId) break;
  }
  graph_.ClearStaged(slot);
}

bool HnswIndex::ConnectStaged(size_t budget, base::ForkGate* gate) {
  GrowAhead(gate);
  size_t done = 0;
  for (; done < budget; ++done) {
    base::ForkGate::Pass pass(gate);
    Lease lease(*this);  // before the slot is taken: it stays this vector's while it is linked
    const Slot slot = TakeQueued(nullptr);
    if (slot == kNoSlot) break;
    try {
      ConnectPlaced(slot, *lease);
    } catch (const std::bad_alloc&) {  // it stays among the staged and is found there
    }
  }
  return done > 0;
}

bool HnswIndex::ConnectOne(base::ForkGate* gate) {
  base::ForkGate::Pass pass(gate);
  Lease lease(*this);
  CodeLock locked;
  const Slot slot = TakeQueued(&locked);
  if (slot == kNoSlot) return false;
  try {
    ConnectLocked(slot, *lease);
  } catch (const std::bad_alloc&) {  // as above
  }
  return true;
}

}  // namespace redoubt::vector
