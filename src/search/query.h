#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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

// One node of a filter. `field` is a position in the definition's fields.
struct FilterNode {
  enum class Kind { kAll, kAnd, kOr, kNot, kTag, kNumeric };
  Kind kind = Kind::kAll;
  std::vector<std::unique_ptr<FilterNode>> children;  // kNot has one
  size_t field = 0;
  std::vector<TagPattern> tags;  // any of them
  NumericRange range;
};

struct KnnClause {
  size_t field = 0;
  size_t k = 0;
  std::string blob;           // in the field's element type
  std::string distance_name;  // AS or $YIELD_DISTANCE_AS, else __<field>_score
};

struct Query {
  std::unique_ptr<FilterNode> filter;
  std::optional<KnnClause> knn;
};

}  // namespace redoubt::search
