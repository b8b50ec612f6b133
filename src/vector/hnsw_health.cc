// What HnswIndex tells about its graph.
#include <algorithm>
#include <limits>

#include "vector/hnsw_index.h"
#include "vector/hnsw_lease.h"

namespace redoubt::vector {
namespace {

constexpr size_t kNodesBetweenStops = 4096;

// The slots that can be walked to from `start` on level 0, itself among them.
VisitedSet Reachable(const HnswGraph& graph, Slot start, const std::function<bool()>& stop) {
  VisitedSet reached;
  reached.Reset(graph.bound());
  std::vector<Slot> open;
  if (start != kNoSlot && reached.Insert(start)) open.push_back(start);
  for (size_t seen = 0; !open.empty(); ++seen) {
    if (seen % kNodesBetweenStops == 0 && stop()) break;
    const LinkList links = graph.Links(open.back(), 0);
    open.pop_back();
    for (size_t i = links.capacity; i-- > 0;) {
      const Slot slot = links.Get(i);
      if (slot != kNoSlot && reached.Insert(slot)) open.push_back(slot);
    }
  }
  return reached;
}

}  // namespace

HnswHealth HnswIndex::Health(const std::function<bool()>& stop) const {
  HnswHealth health;
  Lease walk(*this);  // what is met keeps its place
  const Entry entry = LoadEntry();
  health.vectors = size();
  health.staged = staged();
  health.removed = removed();
  health.levels = entry.slot == kNoSlot ? 0 : entry.level + 1;
  const VisitedSet reached = Reachable(graph_, entry.slot, stop);
  size_t linked = 0;
  size_t links_of_all = 0;
  health.fewest_links = std::numeric_limits<size_t>::max();
  std::vector<Slot> links(2 * options_.m);
  const auto bound = static_cast<Slot>(graph_.bound());
  for (Slot slot = 0; slot < bound; ++slot) {
    if (slot % kNodesBetweenStops == 0 && stop()) break;
    if (graph_.IdOf(slot) == kNoId || graph_.IsStaged(slot)) continue;
    const size_t count = graph_.Links(slot, 0).CopyTo(links.data());
    ++linked;
    links_of_all += count;
    health.fewest_links = std::min(health.fewest_links, count);
    if (!reached.Contains(slot)) ++health.unreachable;
  }
  if (linked == 0) health.fewest_links = 0;
  if (linked > 0) health.mean_links = static_cast<double>(links_of_all) / static_cast<double>(linked);
  return health;
}

}  // namespace redoubt::vector
