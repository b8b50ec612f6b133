#include "vector/flat_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <new>
#include <utility>

#include "vector/kernels.h"

namespace redoubt::vector {
namespace {

constexpr size_t kBlockBytes = 128 * 1024;       // small enough that a tiny index stays tiny
constexpr size_t kChunkRows = 64;                // distances are computed into a stack array of this many
constexpr size_t kChunkBytes = 16 * 1024;        // what several queries read one after another stays in the first cache
constexpr size_t kFloatsBetweenStops = 1 << 18;  // about 100 us of work

// A power of two, so that a slot splits into block and row by shift and mask.
size_t BlockRows(size_t dim) {
  return std::clamp<size_t>(std::bit_floor(kBlockBytes / (dim * sizeof(float))), 1, 1024);
}

// Where a row is read that is not the next in memory, its first lines are asked for this many rows earlier.
constexpr size_t kLookAhead = 4;

void Prefetch(const float* row, size_t dim) {
  for (size_t i = 0; i < std::min<size_t>(dim, 256); i += 16) __builtin_prefetch(row + i);
}

float InverseNorm(std::span<const float> vector) {
  float squares;
  BestKernels().dot(vector.data(), vector.data(), 1, vector.size(), &squares);
  return squares > 0 ? 1 / std::sqrt(squares) : 0;
}

}  // namespace

base::Result<std::unique_ptr<FlatIndex>> FlatIndex::Create(const FlatOptions& options) {
  if (options.dim < 1 || options.dim > kMaxDim) {
    return base::InvalidArgument(fmt::format("dim {} is outside 1..{}", options.dim, kMaxDim));
  }
  return std::unique_ptr<FlatIndex>(new FlatIndex(options));
}

FlatIndex::FlatIndex(const FlatOptions& options)
    : dim_(options.dim),
      metric_(options.metric),
      block_rows_(BlockRows(options.dim)),
      memory_(*options.memory),
      std_memory_(memory_),
      ids_(&std_memory_),
      slots_(&std_memory_) {}

FlatIndex::~FlatIndex() = default;

float* FlatIndex::Row(uint32_t slot) {
  auto* block = reinterpret_cast<float*>(blocks_[slot / block_rows_].data());
  return block + (slot & (block_rows_ - 1)) * dim_;
}

base::Status FlatIndex::AppendSlot(Id id) {
  if (ids_.size() == blocks_.size() * block_rows_) {
    ASSIGN_OR_RETURN(base::Buffer block, base::Buffer::Create(block_rows_ * dim_ * sizeof(float), memory_));
    blocks_.push_back(std::move(block));
  }
  try {
    if (id >= slots_.size()) slots_.resize(size_t{id} + 1, kNoSlot);
    ids_.push_back(id);
  } catch (const std::bad_alloc&) {
    return base::ResourceExhausted(fmt::format("no memory for one more vector beside {}", ids_.size()));
  }
  slots_[id] = static_cast<uint32_t>(ids_.size() - 1);
  return base::OkStatus();
}

void FlatIndex::Store(uint32_t slot, std::span<const float> vector) {
  float* row = Row(slot);
  if (metric_ != Metric::kCosine) {
    std::memcpy(row, vector.data(), vector.size_bytes());
    return;
  }
  float scale = InverseNorm(vector);
  for (size_t i = 0; i < dim_; ++i) row[i] = vector[i] * scale;
}

base::Status FlatIndex::Add(Id id, std::span<const float> vector) {
  if (vector.size() != dim_) {
    return base::InvalidArgument(fmt::format("a vector of {} elements does not fit dim {}", vector.size(), dim_));
  }
  if (SlotOf(id) == kNoSlot) RETURN_IF_ERROR(AppendSlot(id));
  Store(slots_[id], vector);
  return base::OkStatus();
}

bool FlatIndex::Remove(Id id) {
  uint32_t slot = SlotOf(id);
  if (slot == kNoSlot) return false;
  auto last = static_cast<uint32_t>(ids_.size() - 1);
  if (slot != last) {
    std::memcpy(Row(slot), Row(last), dim_ * sizeof(float));
    ids_[slot] = ids_[last];
    slots_[ids_[slot]] = slot;
  }
  slots_[id] = kNoSlot;
  ids_.pop_back();
  // One empty block is kept, so that a set and delete at the edge does not allocate each time.
  if (blocks_.size() * block_rows_ >= ids_.size() + 2 * block_rows_) blocks_.pop_back();
  return true;
}

void FlatIndex::Measure(const float* query, const float* rows, size_t count, float* out) const {
  if (metric_ == Metric::kL2) {
    BestKernels().squared_l2(query, rows, count, dim_, out);
    return;
  }
  BestKernels().dot(query, rows, count, dim_, out);
  for (size_t i = 0; i < count; ++i) out[i] = 1 - out[i];
}

struct FlatIndex::Scan {
  std::vector<float> unit;  // of a cosine query
  const float* vector;
  const IdSet* filter;
  const std::function<bool()>& stop;
  TopK best;

  bool Stopped() const { return stop && stop(); }
};

void FlatIndex::ScanAll(std::vector<Scan*> scans) const {
  float distances[kChunkRows];
  size_t chunk =
      std::clamp<size_t>(std::bit_floor(kChunkBytes / (dim_ * sizeof(float))), 1, std::min(kChunkRows, block_rows_));
  size_t since_stop = 0;
  for (size_t at = 0; at < ids_.size() && !scans.empty(); at += chunk) {
    size_t count = std::min(chunk, ids_.size() - at);
    const float* rows = Row(static_cast<uint32_t>(at));
    for (Scan* scan : scans) {
      Measure(scan->vector, rows, count, distances);
      for (size_t i = 0; i < count; ++i) {
        if (!scan->best.Wants(distances[i])) continue;
        Id id = ids_[at + i];
        if (scan->filter == nullptr || scan->filter->Contains(id)) scan->best.Offer({id, distances[i]});
      }
    }
    since_stop += count * dim_ * scans.size();
    if (since_stop < kFloatsBetweenStops) continue;
    since_stop = 0;
    std::erase_if(scans, [](const Scan* scan) { return scan->Stopped(); });
  }
}

void FlatIndex::ScanSet(Scan& scan) const {
  // Collected in chunks, so that rows can be asked for ahead of their use.
  uint32_t slots[kChunkRows];
  size_t filled = 0;
  bool stopped = false;
  auto flush = [&] {
    for (size_t i = 0; i < std::min(kLookAhead, filled); ++i) Prefetch(Row(slots[i]), dim_);
    for (size_t i = 0; i < filled; ++i) {
      if (i + kLookAhead < filled) Prefetch(Row(slots[i + kLookAhead]), dim_);
      float distance;
      Measure(scan.vector, Row(slots[i]), 1, &distance);
      if (scan.best.Wants(distance)) scan.best.Offer({ids_[slots[i]], distance});
    }
    filled = 0;
    stopped = scan.Stopped();
  };
  scan.filter->ForEach([&](Id id) {
    uint32_t slot = SlotOf(id);
    if (slot != kNoSlot) slots[filled++] = slot;
    if (filled == kChunkRows) flush();
    return !stopped;
  });
  if (!stopped) flush();
}

std::vector<std::vector<Hit>> FlatIndex::SearchMany(std::span<const KnnQuery> queries) const {
  std::deque<Scan> scans;  // a deque: the elements stay where they are
  std::vector<Scan*> whole;
  for (const KnnQuery& query : queries) {
    CHECK(query.vector.size() == dim_);
    Scan& scan = scans.emplace_back(
        Scan{{}, query.vector.data(), query.filter, query.stop, TopK(std::min(query.k, ids_.size()))});
    if (query.k == 0 || ids_.empty()) continue;
    if (metric_ == Metric::kCosine) {
      float scale = InverseNorm(query.vector);
      for (float x : query.vector) scan.unit.push_back(x * scale);
      scan.vector = scan.unit.data();
    }
    // Reading rows in order is three to four times as fast as picking them: a wide filter is tested on candidates only.
    if (scan.filter != nullptr && scan.filter->Count() < ids_.size() / 4) {
      ScanSet(scan);
    } else {
      whole.push_back(&scan);
    }
  }
  ScanAll(std::move(whole));
  std::vector<std::vector<Hit>> hits;
  for (Scan& scan : scans) hits.push_back(scan.best.Take());
  return hits;
}

std::vector<Hit> FlatIndex::Search(std::span<const float> query, size_t k, const IdSet* filter,
                                   std::function<bool()> stop) const {
  const KnnQuery one = {query, k, filter, std::move(stop)};
  return std::move(SearchMany({&one, 1})[0]);
}

size_t FlatIndex::memory_bytes() const {
  return sizeof(*this) + blocks_.size() * block_rows_ * dim_ * sizeof(float) + ids_.capacity() * sizeof(Id) +
         slots_.capacity() * sizeof(uint32_t);
}

}  // namespace redoubt::vector
