#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "base/result.h"
#include "vector/distance.h"
#include "vector/element.h"
#include "vector/id_set.h"
#include "vector/query_vector.h"
#include "vector/top_k.h"

namespace redoubt::vector {

struct FlatOptions {
  size_t dim = 0;  // elements, 1..kMaxDim
  Metric metric = Metric::kL2;
  base::MemoryResource* memory = &base::DefaultMemory();  // outlives the index
  ElementType type = ElementType::kFloat32;
};

inline constexpr size_t kMaxDim = 32768;

// Starts a task on another thread that has nothing to do; false, and the task will not run, when there is none.
using Helper = std::function<bool(std::function<void()>)>;

struct KnnQuery {
  std::string_view vector;  // dim elements of the index's type, at any address
  size_t k = 0;
  const IdSet* filter = nullptr;  // hits are out of these; null: out of all
  std::function<bool()> stop;  // asked about every 100 us of work; when it answers true the hits so far are the result
  double radius = std::numeric_limits<double>::infinity();  // hits are no farther than this
  Helper help = nullptr;  // for the scan of a large index; may be empty. Tasks may outlive the search, as empty shells
};

// All vectors, one copy each in its element type, in blocks; a search reads every one, so its answer is exact.
// Search() may run on many threads at once; Add() and Remove() need exclusive access.
class FlatIndex {
 public:
  // Fails with InvalidArgument for a dim out of range.
  static base::Result<std::unique_ptr<FlatIndex>> Create(const FlatOptions& options);
  ~FlatIndex();

  // Copies `vector`, dim elements at any address (for kCosine the unit-length form of floats; of other types the
  // elements themselves, which have no unit-length form without loss). Replaces the vector if `id` exists.
  // Ids index a table, so they should be small and dense. ResourceExhausted when memory has no room.
  base::Status Add(Id id, std::string_view vector);
  // Gives the memory back, a block at a time. False when there is no such id.
  bool Remove(Id id);
  bool Contains(Id id) const { return SlotOf(id) != kNoSlot; }

  // At most `k` hits for each query, nearest first. Vectors whose distance is not a number are never hits. Queries that
  // need a whole scan share one: reading the vectors is what takes the time.
  std::vector<std::vector<Hit>> SearchMany(std::span<const KnnQuery> queries) const;
  std::vector<Hit> Search(std::string_view query, size_t k, const IdSet* filter = nullptr,
                          std::function<bool()> stop = nullptr) const;
  // All that are no farther than query.radius, in no order; query.k has no meaning.
  std::vector<Hit> InRange(const KnnQuery& query) const;

  size_t size() const { return ids_.size(); }
  size_t dim() const { return dim_; }
  Metric metric() const { return metric_; }
  ElementType type() const { return type_; }
  size_t memory_bytes() const;

 private:
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  // A query under way.
  struct Scan;

  explicit FlatIndex(const FlatOptions& options);

  uint32_t SlotOf(Id id) const { return id < slots_.size() ? slots_[id] : kNoSlot; }
  std::byte* Row(uint32_t slot);
  const std::byte* Row(uint32_t slot) const { return const_cast<FlatIndex*>(this)->Row(slot); }
  // Where the inverse norm of a row lies; null where rows have none.
  double* Norm(uint32_t slot);
  const double* Norm(uint32_t slot) const { return const_cast<FlatIndex*>(this)->Norm(slot); }
  base::Status AppendSlot(Id id);
  void Store(uint32_t slot, std::string_view vector);
  void Run(std::deque<Scan>& scans) const;
  void ScanAll(std::vector<Scan*> scans) const;
  void ScanShared(Scan& scan) const;
  size_t ChunkRowsOf() const;
  void ScanChunk(const Scan& scan, size_t at, size_t count, TopK& best) const;
  void ScanSet(Scan& scan) const;

  const size_t dim_;
  const Metric metric_;
  const ElementType type_;
  const size_t row_bytes_;
  const size_t block_rows_;
  const size_t norms_at_;  // of a block: its rows lie before, their inverse norms after
  const size_t block_bytes_;
  base::MemoryResource& memory_;
  base::StdMemoryAdapter std_memory_;
  std::vector<base::Buffer> blocks_;
  std::pmr::vector<Id> ids_;          // slot -> id, without gaps
  std::pmr::vector<uint32_t> slots_;  // id -> slot or kNoSlot
};

}  // namespace redoubt::vector
