#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vector/distance.h"
#include "vector/element.h"
#include "vector/storage.h"

namespace redoubt::search {

enum class FieldType { kTag, kNumeric, kText, kVector };

std::string_view FieldTypeName(FieldType type);  // "TAG", "NUMERIC", "TEXT", "VECTOR"

struct TagOptions {
  static constexpr char kNone = '\0';  // of JSON documents, whose arrays hold several tags: a text is one

  char separator = ',';
  bool case_sensitive = false;
};

struct TextOptions {
  double weight = 1;
  bool no_stem = false;
  bool suffix_trie = false;  // accepted and shown; suffixes are found without one
};

enum class VectorAlgorithm { kFlat, kHnsw };

std::string_view VectorAlgorithmName(VectorAlgorithm algorithm);  // "FLAT", "HNSW"

// Of an HNSW index; see vector/hnsw_index.h.
struct GraphOptions {
  size_t m = 16;
  size_t ef_construction = 200;
  size_t ef_runtime = 10;
  bool ef_auto = false;  // EF_RUNTIME AUTO: what target_recall takes is measured, `ef_runtime` until then
  std::optional<double> target_recall;  // TARGET_RECALL, 0..1
  double epsilon = 0.01;
  vector::Storage storage = vector::Storage::kInt8;  // COMPRESSION

  // 0: `ef_runtime` is as it was given.
  double RecallToTuneFor() const { return ef_auto ? target_recall.value_or(0.95) : 0; }
};

struct VectorOptions {
  VectorAlgorithm algorithm = VectorAlgorithm::kFlat;
  GraphOptions graph;
  vector::ElementType type = vector::ElementType::kFloat32;
  size_t dim = 0;
  bool several = false;  // a document may have several: a path in JSON that may find more than one value
  vector::Metric metric = vector::Metric::kL2;
  std::optional<size_t> initial_cap;  // accepted and shown; the index grows by itself
  std::optional<size_t> block_size;   // accepted and shown

  size_t blob_bytes() const { return dim * vector::ElementBytes(type); }
};

struct Field {
  std::string path;  // field of the hash, or path in the JSON document
  std::string name;  // what queries call it: AS, else the path
  FieldType type = FieldType::kTag;
  bool sortable = false;
  bool unf = false;
  bool no_index = false;       // kept for sorting, not for filtering
  bool index_missing = false;  // ismissing(@field) finds the documents without it
  bool index_empty = false;    // of TEXT: @field:"" finds empty values
  TagOptions tag;
  TextOptions text;
  VectorOptions vector;
};

// What FT.CREATE says. A value: copied between threads, written into the RDB as the arguments that make it again.
struct IndexDefinition {
  std::string name;
  bool json = false;  // ON JSON
  std::vector<std::string> prefixes = {""};
  bool skip_initial_scan = false;
  double default_score = 1.0;
  std::string filter;             // FILTER: which of those keys are documents, see document_filter.h; empty: all
  int64_t temporary_s = 0;        // TEMPORARY: dropped when nobody used it for so many seconds; 0: never
  std::string score_field;        // SCORE_FIELD: of the hash, the document's score 0..1; empty: all have the default
  std::string language_field;     // LANGUAGE_FIELD: of the document, its language; empty: all have that of the index
  std::string payload_field;      // PAYLOAD_FIELD: of the document, shown by WITHPAYLOADS; empty: none
  std::optional<bool> index_all;  // INDEXALL: shown; all documents are found in any case
  std::vector<std::string> text_options;               // NOFREQS and the like: shown in FT.INFO, without effect
  std::string language = "english";                    // lower case; whose stems TEXT fields and queries use
  std::optional<std::vector<std::string>> stop_words;  // STOPWORDS; nothing: the usual ones
  std::vector<Field> fields;
  std::vector<std::string> aliases;  // other names of the index, where it is stored; else the server's table has them

  // How many values a document has besides those of `fields`.
  size_t extra_values() const { return (score_field.empty() ? 0 : 1) + (language_field.empty() ? 0 : 1); }
  bool Covers(std::string_view key) const;
  // Position in `fields` of the field that queries call `name`.
  std::optional<size_t> FindField(std::string_view name) const;
};

}  // namespace redoubt::search
