#include "search/graph_field.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace redoubt::search {
namespace {

using base::Result;
using base::Status;

// Candidates beyond k: on data in clusters as many of the best by codes hold 99 % of the exact k.
size_t Oversampled(size_t k, vector::Storage storage) {
  size_t extra = std::max<size_t>(10, k / 2);  // 8 bits swap neighbours of nearly the same distance only
  if (storage == vector::Storage::kInt4) extra = std::max<size_t>(20, k);
  if (storage == vector::Storage::kBinary) extra = std::max<size_t>(90, k > SIZE_MAX / 8 ? k : 4 * k);
  return k > std::numeric_limits<size_t>::max() - extra ? k : k + extra;
}

}  // namespace

Result<std::unique_ptr<GraphField>> GraphField::Create(const VectorOptions& options, base::MemoryResource& memory) {
  vector::HnswOptions graph;
  graph.dim = options.dim;
  graph.metric = options.metric;
  graph.m = options.graph.m;
  graph.ef_construction = options.graph.ef_construction;
  graph.target_recall = options.graph.RecallToTuneFor();
  graph.storage = options.graph.storage;
  graph.memory = &memory;
  ASSIGN_OR_RETURN(std::unique_ptr<vector::HnswIndex> index, vector::HnswIndex::Create(graph));
  return std::unique_ptr<GraphField>(new GraphField(options, std::move(index)));
}

Status GraphField::Check(std::string_view value) const {
  if (value.size() == options_.blob_bytes()) return base::OkStatus();
  return base::InvalidArgument(
      fmt::format("Could not add vector with blob size {} (expected size {})", value.size(), options_.blob_bytes()));
}

Status GraphField::Set(Id id, std::string_view value) {
  std::vector<float> vector(options_.dim);
  vector::DecodeElements(options_.type, value, vector);  // what is not finite is refused by the graph
  return graph_->Stage(id, vector);
}

Status GraphField::LoadGraph(const IdSet& ids, base::SectionReader& in) {
  ASSIGN_OR_RETURN(std::unique_ptr<vector::HnswIndex> loaded, vector::HnswIndex::Load(graph_->options(), ids, in));
  RETURN_IF_ERROR(in.Finish());
  graph_ = std::move(loaded);
  return base::OkStatus();
}

void GraphField::AddTo(IndexStats& stats) const {
  const vector::GraphMemory memory = graph_->memory();
  stats.vector_bytes += memory.total();
  stats.graph_code_bytes += memory.codes;
  stats.graph_link_bytes += memory.links;
  stats.graph_id_bytes += memory.ids;
  stats.staged_vectors += graph_->staged();
}

vector::HnswResult GraphField::Search(std::string_view query, size_t k, size_t ef, const IdSet* filter,
                                      std::function<bool()> stop, bool exact, Id without) const {
  std::vector<float> floats(options_.dim);
  if (!vector::DecodeElements(options_.type, query, floats)) return {};  // nothing is at a distance from it
  vector::HnswQuery knn;
  knn.vector = floats;
  knn.k = Oversampled(k, options_.graph.storage);
  knn.ef = ef == 0 ? EfRuntime() : ef;
  knn.filter = filter;
  knn.without = without;
  if (exact) {
    knn.k *= 2;
    knn.plan = vector::HnswPlan::kScan;
  }
  knn.stop = std::move(stop);
  return graph_->Search(knn);
}

// As a search for more and more of the nearest: what it has to go through is little more than the answer.
std::vector<vector::Hit> GraphField::InRange(std::string_view query, double radius, std::function<bool()> stop) const {
  constexpr size_t kFirst = 64;
  std::vector<float> floats(options_.dim);
  if (!vector::DecodeElements(options_.type, query, floats)) return {};
  vector::HnswQuery nearest;
  nearest.vector = floats;
  nearest.stop = std::move(stop);
  std::vector<vector::Hit> hits;
  for (nearest.k = kFirst;; nearest.k *= 8) {
    nearest.ef = 2 * nearest.k;
    if (nearest.k >= graph_->size() / 16) {
      nearest.k = graph_->size();
      nearest.plan = vector::HnswPlan::kScan;
    }
    vector::HnswResult result = graph_->Search(nearest);
    hits = std::move(result.hits);
    if (nearest.plan || hits.size() < nearest.k || hits.back().distance > radius) break;
  }
  std::erase_if(hits, [&](const vector::Hit& hit) { return hit.distance > radius; });
  return hits;
}

}  // namespace redoubt::search
