#pragma once

#include <cstddef>
#include <memory_resource>
#include <span>
#include <vector>

#include "base/memory.h"
#include "vector/top_k.h"

namespace redoubt::search {

// The first vectors of a graph, which tell where its data lies. Codes of few bits should hold what differs between
// vectors, not what they have in common: embeddings of one model often point all into one direction.
class CentreSample {
 public:
  static constexpr size_t kVectors = 256;

  // `unit`: vectors count as of unit length. `memory` outlives it.
  CentreSample(size_t dim, bool unit, base::MemoryResource& memory);

  // Copies dim floats. Replaces those of `id`. Throws std::bad_alloc.
  void Add(vector::Id id, std::span<const float> vector);
  void Remove(vector::Id id);
  bool full() const { return ids_.size() >= kVectors; }

  // Their mean, where it holds a good part of what they are; else nothing.
  std::vector<float> Centre() const;

  size_t size() const { return ids_.size(); }
  vector::Id id(size_t i) const { return ids_[i]; }
  std::span<const float> vector(size_t i) const { return {floats_.data() + i * dim_, dim_}; }

 private:
  const size_t dim_;
  const bool unit_;
  base::StdMemoryAdapter memory_;
  std::pmr::vector<vector::Id> ids_;
  std::pmr::vector<float> floats_;
};

}  // namespace redoubt::search
