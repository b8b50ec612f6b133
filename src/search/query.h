#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "search/text_query.h"
#include "vector/distance.h"
#include "vector/element.h"

namespace redoubt::search {

struct NumericRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   // low itself is outside
  bool high_open = false;  // high itself is outside

  bool Contains(double value) const {
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
};

struct TagPattern {
  enum class Kind { kExact, kPrefix, kSuffix, kContains };
  Kind kind = Kind::kExact;
  std::string text;
};

// @field:[VECTOR_RANGE radius $blob]
struct VectorRange {
  std::string blob;  // in the field's element type
  double radius = 0;
  std::optional<double> epsilon;  // how much farther, as a part of the radius, a walk in a graph looks
  std::optional<size_t> name;     // position in Query::range_names
};

// One node of a filter. `field` is a position in the definition's fields.
struct FilterNode {
  enum class Kind { kAll, kAnd, kOr, kNot, kOptional, kTag, kNumeric, kText, kMissing, kKeys, kVectorRange };
  Kind kind = Kind::kAll;
  std::vector<std::unique_ptr<FilterNode>> children;  // kNot and kOptional have one; kOr without any matches nothing
  size_t field = 0;
  std::vector<TagPattern> tags;  // any of them
  NumericRange range;
  std::unique_ptr<VectorRange> vector_range;
  std::unique_ptr<TextClause> text;  // of kText; of kAnd: how close its words are to be, if that was said
  std::vector<std::string> keys;     // of kKeys: documents by name
};

struct KnnClause {
  size_t field = 0;
  size_t k = 0;
  std::string blob;                     // in the field's element type
  std::optional<size_t> ef_runtime;     // of a graph; nothing: that of the field
  std::optional<double> shard_k_ratio;  // the part of k that each node of a cluster is asked for, 0..1
  std::string without;                  // the key of a document that the graph is to answer without
  bool exact = false;                   // over a graph: every code is read, and twice as many are measured again
  bool graph = false;  // over a graph: what is found has to be measured again, with the vectors at `path`
  std::string path;
  bool several = false;  // there may be several, and the nearest counts
  vector::ElementType type = vector::ElementType::kFloat32;
  vector::Metric metric = vector::Metric::kL2;
  std::string distance_name;  // AS or $YIELD_DISTANCE_AS, else __<field>_score
};

struct Query {
  std::unique_ptr<FilterNode> filter;
  std::optional<KnnClause> knn;
  bool has_text = false;                 // words that documents are scored by
  std::vector<std::string> range_names;  // $YIELD_DISTANCE_AS of its VECTOR_RANGE leaves

  // Position in `range_names`.
  std::optional<size_t> FindRange(std::string_view name) const {
    const auto found = std::find(range_names.begin(), range_names.end(), name);
    if (found == range_names.end()) return std::nullopt;
    return static_cast<size_t>(found - range_names.begin());
  }
};

}  // namespace redoubt::search
