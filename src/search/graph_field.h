#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "search/field_index.h"
#include "vector/hnsw_index.h"

namespace redoubt::search {

// The vectors of one field as a graph of codes. A vector that is set is staged only: whoever owns the index has other
// threads link what graph() holds.
class GraphField final : public FieldIndex {
 public:
  static base::Result<std::unique_ptr<GraphField>> Create(const VectorOptions& options, base::MemoryResource& memory);

  base::Status Check(std::string_view value) const override;
  base::Status Set(Id id, std::string_view value) override;
  void Clear(Id id) override { graph_->Remove(id); }
  void AddTo(IndexStats& stats) const override;
  const GraphField* graph() const override { return this; }
  base::Status LoadGraph(const IdSet& ids, base::SectionReader& in) override;

  // Candidates of the `k` nearest by the distance of the codes: more than k, so that the right ones are among them when
  // they are measured with their vectors. `query` is a blob of the field's element type. `ef` 0 is the field's own.
  // `exact`: out of all codes, and twice as many. `without`: a walk goes as if that one were not in the graph.
  vector::HnswResult Search(std::string_view query, size_t k, size_t ef, const IdSet* filter,
                            std::function<bool()> stop, bool exact = false, Id without = vector::kNoId) const;

  // What a search that says no other uses: that of the field, or what was measured for it.
  size_t EfRuntime() const { return graph_->tuned_ef() > 0 ? graph_->tuned_ef() : options_.graph.ef_runtime; }

  // All that are no farther than `radius` by the distance of the codes, nearest first.
  std::vector<vector::Hit> InRange(std::string_view query, double radius, std::function<bool()> stop) const;

  // Safe on many threads, and beside everything above. May live on.
  const std::shared_ptr<vector::HnswIndex>& index() const { return graph_; }

 private:
  GraphField(const VectorOptions& options, std::shared_ptr<vector::HnswIndex> graph)
      : options_(options), graph_(std::move(graph)) {}

  const VectorOptions options_;
  std::shared_ptr<vector::HnswIndex> graph_;
};

}  // namespace redoubt::search
