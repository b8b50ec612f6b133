#pragma once

#include <memory>
#include <span>
#include <vector>

#include "search/field_index.h"
#include "vector/flat_index.h"

namespace redoubt::search {

// The vectors of one field.
class VectorField final : public FieldIndex {
 public:
  static base::Result<std::unique_ptr<VectorField>> Create(const VectorOptions& options, base::MemoryResource& memory);

  base::Status Check(std::string_view value) const override;
  base::Status Set(Id id, std::string_view value) override;
  void Clear(Id id) override { index_->Remove(id); }
  void AddTo(IndexStats& stats) const override { stats.vector_bytes += index_->memory_bytes(); }
  const VectorField* vectors() const override { return this; }

  // The nearest to each of the queries, which share a pass over the vectors.
  std::vector<std::vector<vector::Hit>> SearchMany(std::span<const vector::KnnQuery> queries) const {
    return index_->SearchMany(queries);
  }

  // Those within query.radius, in no order.
  std::vector<vector::Hit> InRange(const vector::KnnQuery& query) const { return index_->InRange(query); }

 private:
  VectorField(const VectorOptions& options, std::unique_ptr<vector::FlatIndex> index)
      : options_(options), index_(std::move(index)) {}

  const VectorOptions options_;
  std::unique_ptr<vector::FlatIndex> index_;
};

}  // namespace redoubt::search
