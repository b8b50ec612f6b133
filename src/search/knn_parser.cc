#include "search/knn_parser.h"

#include <fmt/core.h>

#include "search/args.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;

// What may be set in both forms, the one in brackets and the one in braces.
struct KnnAttributes {
  std::string as;
  std::string yield_distance_as;
  std::string policy;
  bool batch_size = false;
};

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
    ASSIGN_OR_RETURN(knn.blob, ParseVectorBlob(scan_, definition_.fields[knn.field].vector));
    RETURN_IF_ERROR(ParseBracketAttributes());
    RETURN_IF_ERROR(ParseBraceAttributes());
    RETURN_IF_ERROR(CheckPolicy());
    ASSIGN_OR_RETURN(knn.distance_name, DistanceName(definition_.fields[knn.field]));
    return knn;
  }

 private:
  Result<size_t> ParseK() {
    scan_.SkipSpace();
    size_t offset = scan_.offset();
    ASSIGN_OR_RETURN(std::string_view text, scan_.Value());
    if (std::optional<size_t> k = ParseSize(text)) return *k;
    return scan_.SyntaxErrorAt(offset);
  }

  Result<size_t> ParseField() {
    RETURN_IF_ERROR(scan_.Expect("@"));
    size_t offset = scan_.offset();
    std::string name = scan_.Name();
    if (name.empty()) return scan_.SyntaxError();
    std::optional<size_t> field = definition_.FindField(name);
    if (!field) return scan_.ErrorAt("Unknown field", offset, name);
    if (definition_.fields[*field].type != FieldType::kVector) {
      return scan_.ErrorAt("Expected a VECTOR field", offset, name);
    }
    return *field;
  }

  Status ParseBracketAttributes() {
    while (!scan_.Take("]")) {
      scan_.SkipSpace();
      std::string key = ToUpper(scan_.Name());
      if (key.empty()) return scan_.SyntaxError();
      ASSIGN_OR_RETURN(std::string_view value, scan_.Value());
      if (key == "AS") {
        attributes_.as = value;
      } else {
        RETURN_IF_ERROR(Set(key, value));
      }
    }
    return OkStatus();
  }

  Status ParseBraceAttributes() {
    if (!scan_.Take("=>")) return OkStatus();
    RETURN_IF_ERROR(scan_.Expect("{"));
    while (!scan_.Take("}")) {
      RETURN_IF_ERROR(scan_.Expect("$"));
      std::string key = ToUpper(scan_.Name());
      RETURN_IF_ERROR(scan_.Expect(":"));
      ASSIGN_OR_RETURN(std::string_view value, scan_.Value());
      if (key == "YIELD_DISTANCE_AS") {
        attributes_.yield_distance_as = value;
      } else {
        RETURN_IF_ERROR(Set(key, value));
      }
      if (!scan_.Take(";") && (scan_.SkipSpace(), scan_.Peek()) != '}') return scan_.SyntaxError();
    }
    return OkStatus();
  }

  Status Set(std::string_view key, std::string_view value) {
    if (key == "HYBRID_POLICY") {
      attributes_.policy = ToUpper(value);
      if (attributes_.policy == "BATCHES" || attributes_.policy == "ADHOC_BF") return OkStatus();
      return BadVectorParameter("invalid hybrid policy was given");
    }
    if (key == "BATCH_SIZE") {
      attributes_.batch_size = true;
      return ParseSize(value).value_or(0) > 0 ? OkStatus() : BadVectorParameter("Invalid value was given");
    }
    return BadVectorParameter("Invalid option");  // EF_RUNTIME and EPSILON belong to graphs, and this is a FLAT index
  }

  // Both policies give the same exact answer here; they are only checked.
  Status CheckPolicy() const {
    if (!filtered_ && (!attributes_.policy.empty() || attributes_.batch_size)) {
      return BadVectorParameter("hybrid query attributes were sent for a non-hybrid query");
    }
    if (attributes_.policy == "ADHOC_BF" && attributes_.batch_size) {
      return BadVectorParameter("'batch size' is irrelevant for 'ADHOC_BF' policy");
    }
    return OkStatus();
  }

  Result<std::string> DistanceName(const Field& field) const {
    const auto& [as, yield, policy, batch_size] = attributes_;
    if (!as.empty() && !yield.empty()) {
      return InvalidArgument(fmt::format("Distance field was specified twice for vector query: {} and {}", as, yield));
    }
    std::string name = as.empty() ? yield : as;
    if (name.empty()) return fmt::format("__{}_score", field.name);
    if (definition_.FindField(name)) {
      return InvalidArgument(fmt::format("Property `{}` already exists in schema", name));
    }
    return name;
  }

  QueryScanner& scan_;
  const IndexDefinition& definition_;
  const bool filtered_;
  KnnAttributes attributes_;
};

}  // namespace

Status BadVectorParameter(std::string_view why) {
  return InvalidArgument(fmt::format("Error parsing vector similarity parameters: {}", why));
}

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
