#include "search/knn_parser.h"

#include <fmt/core.h>

#include "search/args.h"
#include "search/knn_attributes.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;

constexpr size_t kMaxK = size_t{1} << 58;

class KnnParser {
 public:
  KnnParser(QueryScanner& scan, const IndexDefinition& definition, bool filtered)
      : scan_(scan), definition_(definition), filtered_(filtered) {}

  Result<KnnClause> Parse() {
    RETURN_IF_ERROR(scan_.Expect("["));
    if (!scan_.TakeWord("KNN")) return scan_.SyntaxError();
    KnnClause knn;
    ASSIGN_OR_RETURN(knn.k, ParseK());
    ASSIGN_OR_RETURN(knn.field, ParseField());
    const Field& field = definition_.fields[knn.field];
    knn.graph = field.vector.algorithm == VectorAlgorithm::kHnsw;
    knn.path = field.path;
    knn.several = field.vector.several;
    knn.type = field.vector.type;
    knn.metric = field.vector.metric;
    ASSIGN_OR_RETURN(knn.blob, ParseVectorBlob(scan_, field.vector));
    RETURN_IF_ERROR(attributes_.ParseBrackets(scan_));
    if (scan_.Take("=>")) RETURN_IF_ERROR(attributes_.ParseBraces(scan_));
    RETURN_IF_ERROR(attributes_.Check(filtered_));
    knn.ef_runtime = attributes_.ef_runtime();
    knn.shard_k_ratio = attributes_.shard_k_ratio();
    ASSIGN_OR_RETURN(knn.distance_name, DistanceName(field));
    return knn;
  }

 private:
  Result<size_t> ParseK() {
    scan_.SkipSpace();
    size_t offset = scan_.offset();
    ASSIGN_OR_RETURN(std::string_view text, scan_.Value());
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    if (!digits) return scan_.SyntaxErrorAt(offset);
    const std::optional<size_t> k = ParseSize(text);
    if (k && *k <= kMaxK) return *k;
    return InvalidArgument(fmt::format(
        "Error parsing vector similarity query: query KNN K parameter is too large, must not exceed {}", kMaxK));
  }

  Result<size_t> ParseField() {
    scan_.SkipSpace();
    const size_t offset = scan_.offset();
    RETURN_IF_ERROR(scan_.Expect("@"));
    std::string name = scan_.Name();
    if (name.empty()) return scan_.SyntaxError();
    std::optional<size_t> field = definition_.FindField(name);
    if (!field) return scan_.ErrorAt("Unknown field", offset, name);
    if (definition_.fields[*field].type != FieldType::kVector) {
      return scan_.ErrorAt("Expected a VECTOR field", offset, name);
    }
    return *field;
  }

  Result<std::string> DistanceName(const Field& field) const {
    const std::string_view name = attributes_.distance_name();
    if (name.empty()) return fmt::format("__{}_score", field.name);
    if (definition_.FindField(name)) {
      return InvalidArgument(fmt::format("Property `{}` already exists in schema", name));
    }
    return std::string(name);
  }

  QueryScanner& scan_;
  const IndexDefinition& definition_;
  const bool filtered_;
  KnnAttributes attributes_;
};

}  // namespace

Result<std::string> ParseVectorBlob(QueryScanner& scan, const VectorOptions& options) {
  RETURN_IF_ERROR(scan.Expect("$"));
  std::string name = scan.Name();
  if (name.empty()) return scan.SyntaxError();
  Result<std::string_view> blob = scan.Param(name);
  if (!blob.ok()) {
    return base::NotFound(fmt::format("{}: add PARAMS 2 {} <{} bytes of little-endian {}>", blob.status().message(),
                                      name, options.blob_bytes(), vector::ElementName(options.type)));
  }
  if (blob->size() != options.blob_bytes()) {
    return InvalidArgument(
        fmt::format("Error parsing vector similarity query: query vector blob size ({}) does not match index's "
                    "expected size ({}).",
                    blob->size(), options.blob_bytes()));
  }
  return std::string(*blob);
}

Result<KnnClause> ParseKnn(QueryScanner& scan, const IndexDefinition& definition, bool filtered) {
  return KnnParser(scan, definition, filtered).Parse();
}

}  // namespace redoubt::search
