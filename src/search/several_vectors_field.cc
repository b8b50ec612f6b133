#include "search/several_vectors_field.h"

#include <fmt/core.h>

#include <deque>
#include <optional>

#include "search/graph_field.h"
#include "search/vector_field.h"

namespace redoubt::search {

using base::OkStatus;
using base::Status;

Status SeveralVectorsField::Check(std::string_view value) const {
  if (!value.empty() && value.size() % blob_bytes_ == 0) return OkStatus();
  return base::InvalidArgument(
      fmt::format("Could not add vectors with blob size {} (expected a multiple of {}, all of the same length)",
                  value.size(), blob_bytes_));
}

Status SeveralVectorsField::Set(Id id, std::string_view value) {
  const size_t count = value.size() / blob_bytes_;
  const std::span<const Id> vectors = owners_.Resize(id, count, [this](Id vector) { field_->Clear(vector); });
  for (size_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(field_->Set(vectors[i], value.substr(i * blob_bytes_, blob_bytes_)));
  }
  return OkStatus();
}

void SeveralVectorsField::Clear(Id id) {
  owners_.Resize(id, 0, [this](Id vector) { field_->Clear(vector); });
}

void SeveralVectorsField::AddTo(IndexStats& stats) const {
  field_->AddTo(stats);
  stats.vector_bytes += owners_.memory_bytes();
}

Status SeveralVectorsField::LoadGraph(const IdSet& ids, base::SectionReader& in) {
  VectorOwners loaded(&memory_);
  RETURN_IF_ERROR(loaded.Load(ids, in));
  RETURN_IF_ERROR(field_->LoadGraph(loaded.Vectors(), in));
  owners_.Swap(loaded);
  return OkStatus();
}

std::vector<std::vector<vector::Hit>> SearchVectors(const FieldIndex& field, std::vector<vector::KnnQuery> queries) {
  const VectorOwners* owners = field.owners();
  if (owners == nullptr) return field.vectors()->SearchMany(queries);
  std::vector<size_t> wanted;
  std::deque<IdSet> filters;  // a deque: the elements stay where they are
  for (vector::KnnQuery& query : queries) {
    wanted.push_back(query.k);
    query.k = owners->VectorsFor(query.k);
    if (query.filter != nullptr) query.filter = &filters.emplace_back(owners->VectorsOf(*query.filter));
  }
  std::vector<std::vector<vector::Hit>> found = field.vectors()->SearchMany(queries);
  for (size_t i = 0; i < found.size(); ++i) {
    found[i] = owners->Documents(std::move(found[i]));
    if (found[i].size() > wanted[i]) found[i].resize(wanted[i]);
  }
  return found;
}

// How many vectors hold so many documents is known only when they are found: more are asked for until they do. As many
// documents are wanted as the field finds vectors for k of them, some of which fall out when they are measured.
vector::HnswResult SearchDocuments(const GraphField& graph, const VectorOwners& owners, std::string_view query,
                                   size_t k, size_t ef, const IdSet* filter, const std::function<bool()>& stop) {
  std::optional<IdSet> vectors;
  if (filter != nullptr) vectors = owners.VectorsOf(*filter);
  vector::HnswResult result;
  size_t wanted = 0;
  size_t found = 0;
  size_t measured = 0;
  for (size_t asked = k;; asked *= 4) {
    result = graph.Search(query, asked, ef, vectors ? &*vectors : nullptr, stop);
    measured += result.measured;
    const bool all = result.hits.size() <= found || result.hits.size() < asked || asked >= owners.size();
    found = result.hits.size();
    if (wanted == 0) wanted = found;
    result.hits = owners.Documents(std::move(result.hits));
    if (all || result.hits.size() >= wanted || (stop && stop())) break;
  }
  if (result.hits.size() > wanted) result.hits.resize(wanted);
  result.measured = measured;
  return result;
}

}  // namespace redoubt::search
