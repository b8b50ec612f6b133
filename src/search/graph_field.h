#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "search/centre_sample.h"
#include "search/field_index.h"
#include "vector/hnsw_index.h"

namespace redoubt::search {

// The vectors of one field as a graph of codes. A vector that is set is staged only: whoever owns the index has other
// threads link what graph() holds. The first vectors may show that codes should be taken from their middle; then
// another graph takes the place of the first.
class GraphField final : public FieldIndex {
 public:
  static base::Result<std::unique_ptr<GraphField>> Create(const VectorOptions& options, base::MemoryResource& memory);

  base::Status Check(std::string_view value) const override;
  base::Status Set(Id id, std::string_view value) override;
  void Clear(Id id) override;
  void AddTo(IndexStats& stats) const override;
  const GraphField* graph() const override { return this; }
  base::Status LoadGraph(const IdSet& ids, base::SectionReader& in) override;

  // Candidates of the `k` nearest by the distance of the codes: more than k, so that the right ones are among them when
  // they are measured with their vectors; the k nearest themselves where distances are exact. `query` is a blob of the
  // field's element type. `ef` 0 is the field's own. `exact`: out of all codes, and twice as many. `without`: a walk
  // goes as if that one were not in the graph.
  vector::HnswResult Search(std::string_view query, size_t k, size_t ef, const IdSet* filter,
                            std::function<bool()> stop, bool exact = false, Id without = vector::kNoId) const;

  // Whether the distances of Search() are those of the vectors, so that no hit has to be measured again.
  bool exact_distances() const;

  // What a search that says no other uses: that of the field, or what was measured for it.
  size_t EfRuntime() const { return graph_->tuned_ef() > 0 ? graph_->tuned_ef() : options_.graph.ef_runtime; }

  // How many of the nearest a walk of Search() goes through.
  size_t Breadth(size_t k, size_t ef) const;

  // All that are no farther than `radius` by the distance of the codes, nearest first.
  std::vector<vector::Hit> InRange(std::string_view query, double radius, std::function<bool()> stop) const;

  bool TakeRenewed() override { return std::exchange(renewed_, false); }

  // Safe on many threads, and beside everything above. May live on.
  const std::shared_ptr<vector::HnswIndex>& index() const { return graph_; }

 private:
  GraphField(const VectorOptions& options, std::shared_ptr<vector::HnswIndex> graph);
  void Sample(Id id, std::span<const float> vector);
  void Recentre(std::vector<float> centre);

  const VectorOptions options_;
  std::shared_ptr<vector::HnswIndex> graph_;
  std::optional<CentreSample> sample_;  // until it is full
  bool renewed_ = false;
};

}  // namespace redoubt::search
