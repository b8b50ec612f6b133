#include "vector/flat_index.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "vector/shared_scan.h"

namespace redoubt::vector {
namespace {

constexpr size_t kBlockBytes = 128 * 1024;  // small enough that a tiny index stays tiny
constexpr size_t kChunkRows = 64;           // distances are computed into a stack array of this many
constexpr size_t kChunkBytes = 16 * 1024;   // what several queries read one after another stays in the first cache
constexpr size_t kPartBytes = 512 * 1024;   // what a thread takes at a time of a scan that it shares
constexpr size_t kSharedBytes = 4 << 20;    // below, waking another thread takes as long as its share
constexpr size_t kMostHelpers = 7;
constexpr size_t kBytesBetweenStops = 1 << 20;  // about 100 us of work

// A power of two, so that a slot splits into block and row by shift and mask.
size_t BlockRows(size_t row_bytes) { return std::clamp<size_t>(std::bit_floor(kBlockBytes / row_bytes), 1, 1024); }

size_t RoundUp(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Floats are kept at unit length. For other types that would lose what the type's name promises to keep.
bool HasNorms(const FlatOptions& options) {
  return options.metric == Metric::kCosine && options.type != ElementType::kFloat32;
}

// Where a row is read that is not the next in memory, its first lines are asked for this many rows earlier.
constexpr size_t kLookAhead = 4;

void Prefetch(const std::byte* row, size_t bytes) {
  for (size_t i = 0; i < std::min<size_t>(bytes, 1024); i += 64) __builtin_prefetch(row + i);
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
      type_(options.type),
      row_bytes_(options.dim * ElementBytes(options.type)),
      block_rows_(BlockRows(row_bytes_)),
      norms_at_(HasNorms(options) ? RoundUp(block_rows_ * row_bytes_, sizeof(double)) : 0),
      block_bytes_(HasNorms(options) ? norms_at_ + block_rows_ * sizeof(double) : block_rows_ * row_bytes_),
      memory_(*options.memory),
      std_memory_(memory_),
      ids_(&std_memory_),
      slots_(&std_memory_) {}

FlatIndex::~FlatIndex() = default;

std::byte* FlatIndex::Row(uint32_t slot) {
  return blocks_[slot / block_rows_].data() + (slot & (block_rows_ - 1)) * row_bytes_;
}

double* FlatIndex::Norm(uint32_t slot) {
  if (norms_at_ == 0) return nullptr;
  return reinterpret_cast<double*>(blocks_[slot / block_rows_].data() + norms_at_) + (slot & (block_rows_ - 1));
}

base::Status FlatIndex::AppendSlot(Id id) {
  if (ids_.size() == blocks_.size() * block_rows_) {
    ASSIGN_OR_RETURN(base::Buffer block, base::Buffer::Create(block_bytes_, memory_));
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

void FlatIndex::Store(uint32_t slot, std::string_view vector) {
  std::byte* row = Row(slot);
  std::memcpy(row, vector.data(), vector.size());
  if (metric_ != Metric::kCosine) return;
  const double inverse = InverseNorm(type_, row, dim_);
  if (double* norm = Norm(slot); norm != nullptr) {
    *norm = inverse;
    return;
  }
  auto* floats = reinterpret_cast<float*>(row);
  for (size_t i = 0; i < dim_; ++i) floats[i] *= static_cast<float>(inverse);
}

base::Status FlatIndex::Add(Id id, std::string_view vector) {
  if (vector.size() != row_bytes_) {
    return base::InvalidArgument(fmt::format("a vector of {} bytes does not fit dim {} of {} ({} bytes)", vector.size(),
                                             dim_, ElementName(type_), row_bytes_));
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
    std::memcpy(Row(slot), Row(last), row_bytes_);
    if (norms_at_ != 0) *Norm(slot) = *Norm(last);
    ids_[slot] = ids_[last];
    slots_[ids_[slot]] = slot;
  }
  slots_[id] = kNoSlot;
  ids_.pop_back();
  // One empty block is kept, so that a set and delete at the edge does not allocate each time.
  if (blocks_.size() * block_rows_ >= ids_.size() + 2 * block_rows_) blocks_.pop_back();
  return true;
}

// A query under way.
struct FlatIndex::Scan {
  QueryVector query;
  const IdSet* filter;
  const std::function<bool()>& stop;
  TopK best;
  const Helper& help;

  bool Stopped() const { return stop && stop(); }
};

// A power of two, so that a chunk lies in one block.
size_t FlatIndex::ChunkRowsOf() const {
  return std::clamp<size_t>(std::bit_floor(kChunkBytes / row_bytes_), 1, std::min(kChunkRows, block_rows_));
}

void FlatIndex::ScanChunk(const Scan& scan, size_t at, size_t count, TopK& best) const {
  double distances[kChunkRows];
  const auto slot = static_cast<uint32_t>(at);
  scan.query.Measure(Row(slot), Norm(slot), count, distances);
  for (size_t i = 0; i < count; ++i) {
    if (!best.Wants(distances[i])) continue;
    const Id id = ids_[at + i];
    if (scan.filter == nullptr || scan.filter->Contains(id)) best.Offer({id, distances[i]});
  }
}

// The memory feeds several processors faster than one.
void FlatIndex::ScanShared(Scan& scan) const {
  const size_t chunk = ChunkRowsOf();
  const size_t part = std::max(chunk, std::bit_floor(kPartBytes / row_bytes_));
  auto shared = std::make_shared<SharedScan>((ids_.size() + part - 1) / part);
  auto scan_parts = [this, &scan, shared, chunk, part](TopK& best, bool may_stop) {
    while (const std::optional<size_t> next = shared->Next()) {
      const size_t end = std::min((*next + 1) * part, ids_.size());
      for (size_t at = *next * part; at < end; at += chunk) ScanChunk(scan, at, std::min(chunk, end - at), best);
      if (may_stop && scan.Stopped()) shared->Stop();
    }
  };
  auto help = [shared, scan_parts, empty = scan.best] {
    if (!shared->Enter()) return;
    TopK best = empty;
    scan_parts(best, false);
    shared->Leave(best.TakeUnsorted());
  };
  for (size_t helpers = 0; helpers < kMostHelpers && scan.help(help); ++helpers) {
  }
  scan_parts(scan.best, true);
  for (const Hit& hit : shared->Close()) {
    if (scan.best.Wants(hit.distance)) scan.best.Offer(hit);
  }
}

void FlatIndex::ScanAll(std::vector<Scan*> scans) const {
  if (scans.size() == 1 && scans[0]->help && ids_.size() * row_bytes_ >= kSharedBytes) return ScanShared(*scans[0]);
  const size_t chunk = ChunkRowsOf();
  size_t since_stop = 0;
  for (size_t at = 0; at < ids_.size() && !scans.empty(); at += chunk) {
    const size_t count = std::min(chunk, ids_.size() - at);
    for (Scan* scan : scans) ScanChunk(*scan, at, count, scan->best);
    since_stop += count * row_bytes_ * scans.size();
    if (since_stop < kBytesBetweenStops) continue;
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
    for (size_t i = 0; i < std::min(kLookAhead, filled); ++i) Prefetch(Row(slots[i]), row_bytes_);
    for (size_t i = 0; i < filled; ++i) {
      if (i + kLookAhead < filled) Prefetch(Row(slots[i + kLookAhead]), row_bytes_);
      double distance;
      scan.query.Measure(Row(slots[i]), Norm(slots[i]), 1, &distance);
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

void FlatIndex::Run(std::deque<Scan>& scans) const {
  if (ids_.empty()) return;
  std::vector<Scan*> whole;
  for (Scan& scan : scans) {
    if (scan.best.k() == 0) continue;
    // Reading rows in order is three to four times as fast as picking them: a wide filter is tested on candidates only.
    if (scan.filter != nullptr && scan.filter->Count() < ids_.size() / 4) {
      ScanSet(scan);
    } else {
      whole.push_back(&scan);
    }
  }
  ScanAll(std::move(whole));
}

std::vector<std::vector<Hit>> FlatIndex::SearchMany(std::span<const KnnQuery> queries) const {
  std::deque<Scan> scans;  // a deque: the elements stay where they are
  for (const KnnQuery& query : queries) {
    CHECK(query.vector.size() == row_bytes_);
    scans.emplace_back(Scan{QueryVector(type_, metric_, query.vector), query.filter, query.stop,
                            TopK(std::min(query.k, ids_.size()), query.radius), query.help});
  }
  Run(scans);
  std::vector<std::vector<Hit>> hits;
  for (Scan& scan : scans) hits.push_back(scan.best.Take());
  return hits;
}

std::vector<Hit> FlatIndex::Search(std::string_view query, size_t k, const IdSet* filter,
                                   std::function<bool()> stop) const {
  const KnnQuery one = {query, k, filter, std::move(stop)};
  return std::move(SearchMany({&one, 1})[0]);
}

std::vector<Hit> FlatIndex::InRange(const KnnQuery& query) const {
  CHECK(query.vector.size() == row_bytes_);
  std::deque<Scan> scans;
  scans.emplace_back(Scan{QueryVector(type_, metric_, query.vector), query.filter, query.stop,
                          TopK(std::max<size_t>(ids_.size(), 1), query.radius), query.help});
  Run(scans);
  return scans[0].best.TakeUnsorted();
}

size_t FlatIndex::memory_bytes() const {
  return sizeof(*this) + blocks_.size() * block_bytes_ + ids_.capacity() * sizeof(Id) +
         slots_.capacity() * sizeof(uint32_t);
}

}  // namespace redoubt::vector
