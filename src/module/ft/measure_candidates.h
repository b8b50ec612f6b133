#pragma once

#include <optional>
#include <string>

#include "module/host/context.h"
#include "module/host/key.h"
#include "search/index.h"
#include "vector/query_vector.h"

namespace redoubt::ft {

// The vector at `path` of a hash or a JSON document, in elements of `type`; nothing when it has none. Main thread only.
std::optional<std::string> ReadVector(host::Context& ctx, const std::string& key, const std::string& path,
                                      vector::ElementType type);

// Distances from a query to the vectors in keys. Main thread only, within one call.
class KeyMeasure {
 public:
  KeyMeasure(host::Context& ctx, const search::KnnClause& knn);
  // Nothing when the document has no such vector any more.
  std::optional<double> operator()(const search::FoundDocument& document);

 private:
  std::optional<double> OfDocument(RedisModuleString* name) const;
  std::optional<double> To(std::string_view blob) const;

  host::Context& ctx_;
  const host::String path_;
  const bool several_;
  const vector::ElementType type_;
  const size_t blob_bytes_;
  const vector::QueryVector query_;
};

// Turns the candidates of a KNN over a graph into its answer, by the vectors in their keys: distances are exact, and a
// document whose vector is gone is left out. Does nothing for any other search. Main thread only.
void MeasureCandidates(host::Context& ctx, const search::SearchPlan& plan, search::SearchOutcome& outcome);

}  // namespace redoubt::ft
