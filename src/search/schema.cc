#include "search/schema.h"

#include <algorithm>

namespace redoubt::search {

std::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kTag:
      return "TAG";
    case FieldType::kNumeric:
      return "NUMERIC";
    case FieldType::kText:
      return "TEXT";
    case FieldType::kVector:
      return "VECTOR";
  }
  return "TAG";
}

std::string_view VectorAlgorithmName(VectorAlgorithm algorithm) {
  return algorithm == VectorAlgorithm::kHnsw ? "HNSW" : "FLAT";
}

bool IndexDefinition::Covers(std::string_view key) const {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return key.starts_with(prefix); });
}

std::optional<size_t> IndexDefinition::FindField(std::string_view name) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace redoubt::search
