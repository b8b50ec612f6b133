#include "search/field_index.h"

#include <fmt/core.h>

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "search/args.h"
#include "search/graph_field.h"
#include "search/numeric_index.h"
#include "search/several_vectors_field.h"
#include "search/tag_index.h"
#include "search/text_field.h"
#include "search/vector_field.h"

namespace redoubt::search {
namespace {

using base::OkStatus;

class TagField final : public FieldIndex {
 public:
  TagField(const Field& field, base::MemoryResource& memory) : memory_(memory), index_(field.tag, &memory_) {}

  Status Set(Id id, std::string_view value) override {
    index_.Set(id, value);
    return OkStatus();
  }
  void Clear(Id id) override { index_.Clear(id); }
  SortKey SortKeyOf(Id id) const override { return index_.Has(id) ? SortKey(index_.SortKey(id)) : SortKey(); }
  void AddTo(IndexStats& stats) const override {
    stats.distinct_tags += index_.distinct_tags();
    stats.records += index_.postings();
    stats.tag_bytes += index_.memory_bytes();
  }
  const TagIndex* tags() const override { return &index_; }

 private:
  base::StdMemoryAdapter memory_;
  TagIndex index_;
};

class NumericField final : public FieldIndex {
 public:
  NumericField(const Field& field, const IndexDefinition& definition, base::MemoryResource& memory)
      : several_(definition.json), memory_(memory), index_(!field.no_index, &memory_) {}

  Status Check(std::string_view value) const override {
    if (several_ ? Parse(value).has_value() : ParseDouble(value).has_value()) return OkStatus();
    return base::InvalidArgument(fmt::format("Invalid numeric value: '{}'", value.substr(0, 64)));
  }
  Status Set(Id id, std::string_view value) override {
    several_ ? index_.SetMany(id, *Parse(value)) : index_.Set(id, *ParseDouble(value));
    return OkStatus();
  }
  void Clear(Id id) override { index_.Clear(id); }
  SortKey SortKeyOf(Id id) const override {
    const double value = index_.Value(id);
    return std::isnan(value) ? SortKey() : SortKey(value);
  }
  void AddTo(IndexStats& stats) const override {
    stats.records += index_.size();
    stats.numeric_bytes += index_.memory_bytes();
  }
  const NumericIndex* numbers() const override { return &index_; }

 private:
  // With commas between them.
  static std::optional<std::vector<double>> Parse(std::string_view text) {
    std::vector<double> numbers;
    while (true) {
      const size_t end = text.find(',');
      const std::optional<double> number = ParseDouble(text.substr(0, end));
      if (!number) return std::nullopt;
      numbers.push_back(*number);
      if (end == std::string_view::npos) return numbers;
      text.remove_prefix(end + 1);
    }
  }

  const bool several_;  // of a JSON document: an array is several numbers
  base::StdMemoryAdapter memory_;
  NumericIndex index_;
};

Result<std::unique_ptr<FieldIndex>> MakeVectors(const VectorOptions& options, base::MemoryResource& memory) {
  if (options.algorithm == VectorAlgorithm::kHnsw) {
    ASSIGN_OR_RETURN(std::unique_ptr<GraphField> graph, GraphField::Create(options, memory));
    return std::unique_ptr<FieldIndex>(std::move(graph));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<VectorField> index, VectorField::Create(options, memory));
  return std::unique_ptr<FieldIndex>(std::move(index));
}

Result<std::unique_ptr<FieldIndex>> MakeKind(const Field& field, const IndexDefinition& definition,
                                             base::MemoryResource& memory) {
  switch (field.type) {
    case FieldType::kTag:
      return std::unique_ptr<FieldIndex>(std::make_unique<TagField>(field, memory));
    case FieldType::kNumeric:
      return std::unique_ptr<FieldIndex>(std::make_unique<NumericField>(field, definition, memory));
    case FieldType::kText:
      return MakeTextField(field, definition, memory);
    case FieldType::kVector: {
      ASSIGN_OR_RETURN(std::unique_ptr<FieldIndex> one, MakeVectors(field.vector, memory));
      if (!field.vector.several) return one;
      return std::unique_ptr<FieldIndex>(
          std::make_unique<SeveralVectorsField>(std::move(one), field.vector.blob_bytes(), memory));
    }
  }
  return base::Internal("a field of an unknown type");
}

}  // namespace

Status FieldIndex::Check(std::string_view /*value*/) const { return OkStatus(); }

Status FieldIndex::LoadGraph(const IdSet& /*ids*/, base::SectionReader& /*in*/) {
  return base::FailedPrecondition("its field has no graph");
}

SortKey FieldIndex::SortKeyOf(Id /*id*/) const { return {}; }

Result<std::unique_ptr<FieldIndex>> FieldIndex::Create(const Field& field, const IndexDefinition& definition,
                                                       base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(std::unique_ptr<FieldIndex> index, MakeKind(field, definition, memory));
  if (field.index_missing) index->presence_ = std::make_unique<Presence>(memory);
  return index;
}

}  // namespace redoubt::search
