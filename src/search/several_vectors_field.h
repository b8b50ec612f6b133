#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "search/field_index.h"
#include "search/vector_owners.h"
#include "vector/flat_index.h"
#include "vector/hnsw_index.h"

namespace redoubt::search {

// A VECTOR field whose documents may have several vectors each: a field of one vector per id, whose ids are those of
// vectors. A value is the blobs one after another. Who searches in vectors() or graph() asks owners() whose they are.
class SeveralVectorsField final : public FieldIndex {
 public:
  // `field` is the inner one, without vectors yet, whose blobs have `blob_bytes`.
  SeveralVectorsField(std::unique_ptr<FieldIndex> field, size_t blob_bytes, base::MemoryResource& memory)
      : field_(std::move(field)), blob_bytes_(blob_bytes), memory_(memory), owners_(&memory_) {}

  base::Status Check(std::string_view value) const override;
  base::Status Set(Id id, std::string_view value) override;
  void Clear(Id id) override;
  void AddTo(IndexStats& stats) const override;
  base::Status LoadGraph(const IdSet& ids, base::SectionReader& in) override;
  bool TakeRenewed() override { return field_->TakeRenewed(); }
  const VectorField* vectors() const override { return field_->vectors(); }
  const GraphField* graph() const override { return field_->graph(); }
  const VectorOwners* owners() const override { return &owners_; }

 private:
  const std::unique_ptr<FieldIndex> field_;
  const size_t blob_bytes_;
  base::StdMemoryAdapter memory_;
  VectorOwners owners_;
};

// The search of VectorField for the nearest documents of `field`, whether or not a document may have several vectors:
// filters and hits are documents.
std::vector<std::vector<vector::Hit>> SearchVectors(const FieldIndex& field, std::vector<vector::KnnQuery> queries);

// The search of GraphField for the `k` nearest documents of such a field: `filter` and the hits are documents.
vector::HnswResult SearchDocuments(const GraphField& graph, const VectorOwners& owners, std::string_view query,
                                   size_t k, size_t ef, const IdSet* filter, const std::function<bool()>& stop);

}  // namespace redoubt::search
