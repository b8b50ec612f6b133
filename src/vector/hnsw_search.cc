// How HnswIndex answers a query.
#include <algorithm>

#include "base/check.h"
#include "vector/hnsw_index.h"
#include "vector/hnsw_lease.h"

namespace redoubt::vector {
namespace {

constexpr size_t kScanChunk = 256;
// A filtered walk sees a part of the graph whose links were not chosen for it.
constexpr size_t kFilteredEfFactor = 2;
// Matching nodes within two links below which a two-hop walk has gaps: measured at 1 and 3 % with M 16, recall fell to
// 0.78.
constexpr double kFewestTwoHopNeighbours = 7;

}  // namespace

// By what each is expected to take, in nanoseconds: the distances that it measures, and what one of them costs,
// measured with bench/micro/hnsw_bench.cc. A scan takes codes in order and is exact, so it may take half as much again.
HnswPlan HnswIndex::Choose(const HnswQuery& query, size_t ef, size_t matching) const {
  constexpr double kScanned = 35;
  constexpr double kWalked = 115;
  constexpr double kTwoHopped = 200;
  constexpr size_t kSmall = 10'000;
  constexpr double kMoved = 0.4;  // of the candidates that a walk keeps in order, for each pair of them
  if (query.plan) return *query.plan;
  const auto found = static_cast<double>(ef);
  if (query.filter == nullptr) {
    const double walk = kWalked * found * static_cast<double>(options_.m) * 0.75 + kMoved * found * found;
    return walk < kScanned * static_cast<double>(matching) || size() < kSmall ? HnswPlan::kWalk : HnswPlan::kScan;
  }
  const double share = static_cast<double>(matching) / static_cast<double>(std::max<size_t>(size(), 1));
  const double new_per_node = static_cast<double>(options_.m) * 0.75;
  const double scan = kScanned * static_cast<double>(matching) / 1.5;
  const double plain = share > 0 ? kWalked * found * new_per_node / share : scan;
  const double two_hop = kTwoHopped * found * (2.5 * new_per_node + new_per_node * new_per_node * share);
  const bool gaps = new_per_node * new_per_node * share < kFewestTwoHopNeighbours;
  if (scan <= (gaps ? plain : std::min(plain, two_hop))) return HnswPlan::kScan;
  return gaps || plain <= two_hop ? HnswPlan::kFilteredWalk : HnswPlan::kTwoHopWalk;
}

void HnswIndex::ScanMatching(Walk& walk, const IdSet* filter) const {
  Slot slots[kScanChunk];
  size_t count = 0;
  auto take = [&](Slot slot) {
    if (slot != kNoSlot) slots[count++] = slot;
    if (count < kScanChunk) return true;
    walk.Scan(slots, count);
    count = 0;
    return !walk.stopped();
  };
  if (filter != nullptr) {
    filter->ForEach([&](Id id) { return take(SlotOf(id)); });
  } else {
    const auto bound = static_cast<Slot>(graph_.bound());
    for (Slot slot = 0; slot < bound && take(slot); ++slot) {
    }
  }
  if (!walk.stopped()) walk.Scan(slots, count);
}

// Ids are read twice: one that was on two slots meanwhile, because its vector was replaced, is gone from the first slot
// by the time of the second look.
std::vector<Hit> HnswIndex::TakeHits(Walk& walk, size_t k) const {
  Pool& pool = walk.pool();
  std::vector<Hit> hits;
  std::vector<Slot> slots;
  hits.reserve(std::min(k, pool.size()));
  for (size_t i = 0; i < pool.size() && hits.size() < k; ++i) {
    const Id id = graph_.IdOf(pool.At(i).slot);
    if (id == kNoId) continue;
    hits.push_back({id, pool.At(i).distance});
    slots.push_back(pool.At(i).slot);
  }
  size_t out = 0;
  for (size_t i = 0; i < hits.size(); ++i) {
    if (graph_.IdOf(slots[i]) == hits[i].id) hits[out++] = hits[i];
  }
  hits.resize(out);
  return hits;
}

HnswResult HnswIndex::Search(const HnswQuery& query) const {
  CHECK(query.vector.size() == options_.dim);
  CodeTarget target;
  return codec_.SetTarget(query.vector, target) ? SearchTarget(target, query) : HnswResult();
}

HnswResult HnswIndex::SearchTarget(const CodeTarget& target, const HnswQuery& query) const {
  HnswResult result;
  const size_t k = std::min(query.k, size());
  if (k == 0) return result;
  const size_t ef = std::max(std::min(query.ef, size()), k) * (query.filter != nullptr ? kFilteredEfFactor : 1);
  const size_t wanted = std::min(k + std::min(query.more, size()), size());
  const size_t matching = query.filter != nullptr ? query.filter->Count() : size();
  Lease walk(*this);
  walk->NoteStaged();  // first: what is linked from now on is met both ways, and what was before is met in the graph
  result.plan = Choose(query, ef, matching);
  bool enough = false;
  const Entry entry = LoadEntry();
  if (result.plan != HnswPlan::kScan && entry.slot != kNoSlot) {
    walk->Begin(target, ef, std::max(ef, wanted), query.filter, &query.stop);
    walk->Exclude(query.without == kNoId ? kNoSlot : SlotOf(query.without));
    const Slot start = walk->Descend(entry.slot, entry.level, 0);
    if (result.plan == HnswPlan::kTwoHopWalk) {
      walk->BeginMatching();
      query.filter->ForEach([&](Id id) {
        walk->AddMatching(SlotOf(id));
        return true;
      });
      enough = walk->CollectMatching(start, matching);
    } else {
      walk->Collect(start, 0);
      enough = true;
    }
    walk->ScanStaged();
    enough &= walk->pool().size() >= std::min(k, matching);
    result.measured = walk->measured();
  }
  if (!enough && !walk->stopped()) {
    walk->Begin(target, wanted, wanted, query.filter, &query.stop, true);
    ScanMatching(*walk, query.filter);
    walk->pool().Sort();
    result.plan = HnswPlan::kScan;
    result.measured += walk->measured();
  }
  result.hits = TakeHits(*walk, wanted);
  return result;
}

}  // namespace redoubt::vector
