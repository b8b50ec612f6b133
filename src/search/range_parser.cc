#include "search/range_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "search/args.h"
#include "search/knn_attributes.h"
#include "search/knn_parser.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;

class RangeParser {
 public:
  RangeParser(QueryScanner& scan, const IndexDefinition& definition, const Field& field,
              std::vector<std::string>& names)
      : scan_(scan), definition_(definition), field_(field), names_(names) {}

  Result<VectorRange> Parse() {
    ASSIGN_OR_RETURN(range_.radius, ParseRadius());
    ASSIGN_OR_RETURN(range_.blob, ParseVectorBlob(scan_, field_.vector));
    RETURN_IF_ERROR(scan_.Expect("]"));
    const size_t before = scan_.offset();
    if (!scan_.Take("=>") || !scan_.Take("{")) {
      scan_.Rewind(before);
      return std::move(range_);
    }
    while (!scan_.Take("}")) RETURN_IF_ERROR(ParseAttribute());
    return std::move(range_);
  }

 private:
  Result<double> ParseRadius() {
    scan_.SkipSpace();
    const size_t offset = scan_.offset();
    ASSIGN_OR_RETURN(std::string_view text, scan_.Value());
    const std::optional<double> radius = ParseDouble(text);
    if (!radius) return scan_.SyntaxErrorAt(offset);
    if (*radius < 0) {
      return InvalidArgument(
          fmt::format("Error parsing vector similarity query: negative radius ({:g}) given in a range query", *radius));
    }
    return *radius;
  }

  Status ParseAttribute() {
    RETURN_IF_ERROR(scan_.Expect("$"));
    const std::string key = ToUpper(scan_.Name());
    RETURN_IF_ERROR(scan_.Expect(":"));
    ASSIGN_OR_RETURN(std::string_view value, scan_.Value());
    RETURN_IF_ERROR(Set(key, value));
    if (!scan_.Take(";") && (scan_.SkipSpace(), scan_.Peek()) != '}') return scan_.SyntaxError();
    return OkStatus();
  }

  Status Set(std::string_view key, std::string_view value) {
    if (key == "YIELD_DISTANCE_AS") return SetName(value);
    if (key == "EPSILON") {
      const std::optional<double> epsilon = ParseDouble(value);
      if (!epsilon || *epsilon <= 0) return BadVectorParameter("Invalid value was given");
      range_.epsilon = *epsilon;
      return OkStatus();
    }
    // A range gives no score that a weight could change.
    if (key == "WEIGHT") return ParseDouble(value) ? OkStatus() : BadVectorParameter("Invalid value was given");
    return BadVectorParameter("Invalid option");
  }

  Status SetName(std::string_view name) {
    if (range_.name) {
      return InvalidArgument(
          fmt::format("Distance field was specified twice for vector query: {} and {}", names_[*range_.name], name));
    }
    if (definition_.FindField(name)) {
      return InvalidArgument(fmt::format("Property `{}` already exists in schema", name));
    }
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
      return InvalidArgument(
          fmt::format("Two distances of the query are named `{}`: give each a name of its own", name));
    }
    range_.name = names_.size();
    names_.emplace_back(name);
    return OkStatus();
  }

  QueryScanner& scan_;
  const IndexDefinition& definition_;
  const Field& field_;
  std::vector<std::string>& names_;
  VectorRange range_;
};

}  // namespace

Result<std::unique_ptr<FilterNode>> ParseVectorRange(QueryScanner& scan, const IndexDefinition& definition,
                                                     size_t field, size_t offset, std::vector<std::string>& names) {
  if (definition.fields[field].type != FieldType::kVector) {
    return scan.ErrorAt("Expected a VECTOR field", offset - 1, definition.fields[field].name);
  }
  auto node = std::make_unique<FilterNode>();
  node->kind = FilterNode::Kind::kVectorRange;
  node->field = field;
  ASSIGN_OR_RETURN(VectorRange range, RangeParser(scan, definition, definition.fields[field], names).Parse());
  node->vector_range = std::make_unique<VectorRange>(std::move(range));
  return node;
}

}  // namespace redoubt::search
