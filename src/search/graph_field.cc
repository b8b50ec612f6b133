#include "search/graph_field.h"

#include <fmt/core.h>

#include <algorithm>
#include <new>
#include <utility>

namespace redoubt::search {
namespace {

using base::Result;
using base::Status;

// What a walk goes by. Codes of 8 bits swap neighbours of nearly the same distance only: the right ones are among what
// a walk of the usual breadth meets. With fewer bits it has to be broader.
size_t FewestFor(size_t k, vector::Storage storage) {
  if (storage == vector::Storage::kInt4) return std::max(k + 20, 2 * k);
  if (storage == vector::Storage::kBinary) return std::max(k + 90, 5 * k);
  return k + 2;
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

GraphField::GraphField(const VectorOptions& options, std::shared_ptr<vector::HnswIndex> graph)
    : options_(options), graph_(std::move(graph)) {
  if (options_.graph.storage == vector::Storage::kFloat32) return;
  sample_.emplace(options_.dim, options_.metric == vector::Metric::kCosine, *graph_->options().memory);
}

Status GraphField::Check(std::string_view value) const {
  if (value.size() == options_.blob_bytes()) return base::OkStatus();
  return base::InvalidArgument(
      fmt::format("Could not add vector with blob size {} (expected size {})", value.size(), options_.blob_bytes()));
}

Status GraphField::Set(Id id, std::string_view value) {
  std::vector<float> vector(options_.dim);
  vector::DecodeElements(options_.type, value, vector);  // what is not finite is refused by the graph
  RETURN_IF_ERROR(graph_->Stage(id, vector));
  Sample(id, vector);
  return base::OkStatus();
}

void GraphField::Clear(Id id) {
  graph_->Remove(id);
  if (sample_) sample_->Remove(id);
}

void GraphField::Sample(Id id, std::span<const float> vector) try {
  if (!sample_) return;
  sample_->Add(id, vector);
  if (!sample_->full()) return;
  std::vector<float> centre = sample_->Centre();
  if (!centre.empty()) Recentre(std::move(centre));
  sample_.reset();
} catch (const std::bad_alloc&) {
  sample_.reset();
}

// A failure leaves the graph as it is: codes are less exact then, and answers still right.
void GraphField::Recentre(std::vector<float> centre) {
  vector::HnswOptions options = graph_->options();
  options.centre = std::move(centre);
  Result<std::unique_ptr<vector::HnswIndex>> graph = vector::HnswIndex::Create(options);
  if (!graph.ok()) return;
  for (size_t i = 0; i < sample_->size(); ++i) {
    if (!(*graph)->Stage(sample_->id(i), sample_->vector(i)).ok()) return;
  }
  graph_ = std::move(*graph);
  renewed_ = true;
}

Status GraphField::LoadGraph(const IdSet& ids, base::SectionReader& in) {
  ASSIGN_OR_RETURN(std::unique_ptr<vector::HnswIndex> loaded, vector::HnswIndex::Load(graph_->options(), ids, in));
  RETURN_IF_ERROR(in.Finish());
  graph_ = std::move(loaded);
  sample_.reset();
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
  k = std::min(k, graph_->size());
  knn.k = FewestFor(k, options_.graph.storage);
  knn.more = std::max<size_t>(10, k / 2) - 2;
  knn.ef = ef == 0 ? EfRuntime() : ef;
  // One bit tells little: whoever asks for a broader walk has more of what it met measured.
  if (options_.graph.storage == vector::Storage::kBinary)
    knn.more = std::max(knn.more, knn.ef - std::min(knn.ef, knn.k));
  knn.filter = filter;
  knn.without = without;
  if (exact) {
    knn.k *= 2;
    knn.plan = vector::HnswPlan::kScan;
  }
  knn.stop = std::move(stop);
  vector::HnswResult result = graph_->Search(knn);
  if (exact_distances()) result.hits.resize(std::min(k, result.hits.size()));
  return result;
}

size_t GraphField::Breadth(size_t k, size_t ef) const {
  return std::max(FewestFor(k, options_.graph.storage), ef == 0 ? EfRuntime() : ef);
}

// Every element but a FLOAT64 is a float. Of FLOAT64 vectors the graph has rounded ones.
bool GraphField::exact_distances() const {
  return options_.graph.storage == vector::Storage::kFloat32 && options_.type != vector::ElementType::kFloat64;
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
