#include "search/text_field.h"

#include <memory_resource>
#include <optional>
#include <string>

#include "search/text_index.h"
#include "text/fold.h"
#include "text/utf8.h"

namespace redoubt::search {
namespace {

TextIndexOptions OptionsOf(const Field& field, const IndexDefinition& definition) {
  TextIndexOptions options;
  options.language = definition.language;
  options.stem = !field.text.no_stem;
  options.index_empty = field.index_empty;
  options.weight = field.text.weight;
  options.several = definition.json;
  if (definition.stop_words) options.stop_words = StopWords(*definition.stop_words);
  return options;
}

std::string LowerCase(std::string_view text) {
  std::string lower;
  for (char32_t c : text::Fold(text)) text::AppendUtf8(c, lower);
  return lower;
}

class TextField final : public FieldIndex {
 public:
  TextField(const Field& field, const IndexDefinition& definition, base::MemoryResource& memory)
      : searched_(!field.no_index),
        sorted_(field.sortable),
        lower_case_(!field.unf),
        several_(definition.json),
        memory_(memory),
        index_(OptionsOf(field, definition), &memory_),
        values_(&memory_) {}

  base::Status Set(Id id, std::string_view value) override {
    if (searched_) index_.Set(id, value);
    if (!sorted_) return base::OkStatus();
    if (id >= values_.size()) values_.resize(size_t{id} + 1);
    if (several_) value = value.substr(0, value.find(kBetweenTexts));  // sorted by the first
    values_[id].emplace(lower_case_ ? LowerCase(value) : std::string(value), &memory_);
    return base::OkStatus();
  }

  void UseLanguage(std::string_view language) override { index_.UseLanguage(language); }

  void Clear(Id id) override {
    index_.Clear(id);
    if (id < values_.size()) values_[id].reset();
  }

  SortKey SortKeyOf(Id id) const override {
    return id < values_.size() && values_[id] ? SortKey(std::string(*values_[id])) : SortKey();
  }

  void AddTo(IndexStats& stats) const override {
    stats.terms += index_.terms();
    stats.records += index_.postings();
    stats.text_bytes += index_.memory_bytes() + values_.capacity() * sizeof(values_[0]);
    for (const auto& value : values_) stats.text_bytes += value ? value->size() : 0;
  }

  const TextIndex* text() const override { return &index_; }

 private:
  const bool searched_;
  const bool sorted_;
  const bool lower_case_;
  const bool several_;
  base::StdMemoryAdapter memory_;
  TextIndex index_;
  std::pmr::vector<std::optional<std::pmr::string>> values_;  // by id
};

}  // namespace

std::unique_ptr<FieldIndex> MakeTextField(const Field& field, const IndexDefinition& definition,
                                          base::MemoryResource& memory) {
  return std::make_unique<TextField>(field, definition, memory);
}

}  // namespace redoubt::search
