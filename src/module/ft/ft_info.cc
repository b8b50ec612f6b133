#include <fmt/core.h>

#include <algorithm>

#include "module/ft/ft_module.h"
#include "module/ft/index_report.h"
#include "module/ft/shard_info.h"

namespace redoubt::ft {
namespace {

using search::Field;
using search::FieldType;

constexpr double kMiB = 1 << 20;

// A map in RESP3, a flat array of names and values in RESP2, whose length is set at the end.
class MapWriter {
 public:
  explicit MapWriter(host::Context& ctx) : ctx_(ctx) { RedisModule_ReplyWithMap(ctx.raw(), REDISMODULE_POSTPONED_LEN); }
  ~MapWriter() { RedisModule_ReplySetMapLength(ctx_.raw(), pairs_); }
  MapWriter(const MapWriter&) = delete;
  MapWriter& operator=(const MapWriter&) = delete;

  // The value is the caller's next reply.
  host::Context& Name(const char* name) {
    ctx_.ReplyStatus(name);
    ++pairs_;
    return ctx_;
  }
  void Text(const char* name, std::string_view value) { Name(name).ReplyBulk(value); }
  void Integer(const char* name, size_t value) { Name(name).ReplyInteger(static_cast<int64_t>(value)); }
  // As text in RESP2.
  void Double(const char* name, double value) { Name(name).ReplyDouble(value); }

 private:
  host::Context& ctx_;
  long pairs_ = 0;
};

void ReplyStrings(host::Context& ctx, const std::vector<std::string>& strings) {
  ctx.ReplyArray(strings.size());
  for (const std::string& string : strings) ctx.ReplyBulk(string);
}

void ReplyDefinition(host::Context& ctx, const search::IndexDefinition& definition) {
  MapWriter map(ctx);
  map.Text("key_type", definition.json ? "JSON" : "HASH");
  ReplyStrings(map.Name("prefixes"), definition.prefixes);
  map.Text("default_language", definition.language);
  if (!definition.filter.empty()) map.Text("filter", definition.filter);
  if (!definition.language_field.empty()) map.Text("language_field", definition.language_field);
  if (!definition.score_field.empty()) map.Text("score_field", definition.score_field);
  if (!definition.payload_field.empty()) map.Text("payload_field", definition.payload_field);
  if (definition.temporary_s > 0) map.Integer("temporary", static_cast<size_t>(definition.temporary_s));
  map.Text("default_score", fmt::format("{}", definition.default_score));
}

// Name and value of each property of a field, then its flags.
struct FieldProperties {
  std::vector<std::pair<std::string, std::string>> pairs;
  std::vector<std::string> flags;
};

FieldProperties Describe(const Field& field) {
  FieldProperties properties;
  properties.pairs = {
      {"identifier", field.path}, {"attribute", field.name}, {"type", std::string(FieldTypeName(field.type))}};
  if (field.type == FieldType::kVector) {
    properties.pairs.insert(properties.pairs.end(),
                            {{"algorithm", std::string(VectorAlgorithmName(field.vector.algorithm))},
                             {"data_type", std::string(vector::ElementName(field.vector.type))},
                             {"dim", std::to_string(field.vector.dim)},
                             {"distance_metric", std::string(vector::MetricName(field.vector.metric))}});
  }
  if (field.type == FieldType::kText) {
    properties.pairs.emplace_back("WEIGHT", fmt::format("{}", field.text.weight));
    if (field.text.no_stem) properties.flags.emplace_back("NOSTEM");
    if (field.text.suffix_trie) properties.flags.emplace_back("WITHSUFFIXTRIE");
    if (field.index_empty) properties.flags.emplace_back("INDEXEMPTY");
  }
  if (field.type == FieldType::kVector && field.vector.algorithm == search::VectorAlgorithm::kHnsw) {
    const search::GraphOptions& graph = field.vector.graph;
    properties.pairs.insert(properties.pairs.end(),
                            {{"M", std::to_string(graph.m)},
                             {"ef_construction", std::to_string(graph.ef_construction)},
                             {"ef_runtime", graph.ef_auto ? "AUTO" : std::to_string(graph.ef_runtime)},
                             {"compression", std::string(vector::StorageName(graph.storage))}});
    if (graph.ef_auto) properties.pairs.emplace_back("target_recall", fmt::format("{}", graph.RecallToTuneFor()));
  }
  if (field.type == FieldType::kTag) {
    const bool none = field.tag.separator == search::TagOptions::kNone;
    properties.pairs.emplace_back("SEPARATOR", none ? std::string() : std::string(1, field.tag.separator));
    if (field.tag.case_sensitive) properties.flags.emplace_back("CASESENSITIVE");
  }
  if (field.sortable) properties.flags.emplace_back("SORTABLE");
  if (field.unf) properties.flags.emplace_back("UNF");
  if (field.no_index) properties.flags.emplace_back("NOINDEX");
  if (field.index_missing) properties.flags.emplace_back("INDEXMISSING");
  return properties;
}

bool IsNumber(std::string_view property) {
  return property == "dim" || property == "M" || property == "ef_construction" || property == "ef_runtime";
}

void ReplyPair(host::Context& ctx, const std::pair<std::string, std::string>& pair) {
  ctx.ReplyBulk(pair.first);
  if (IsNumber(pair.first) && pair.second != "AUTO") {
    ctx.ReplyInteger(std::stoll(pair.second));
  } else {
    ctx.ReplyBulk(pair.second);
  }
}

void ReplyField(host::Context& ctx, const Field& field) {
  FieldProperties properties = Describe(field);
  if (ctx.Resp3()) {
    ctx.ReplyMap(properties.pairs.size() + 1);
    for (const auto& pair : properties.pairs) ReplyPair(ctx, pair);
    ctx.ReplyBulk("flags");
    ReplyStrings(ctx, properties.flags);
    return;
  }
  ctx.ReplyArray(properties.pairs.size() * 2 + properties.flags.size());
  for (const auto& pair : properties.pairs) ReplyPair(ctx, pair);
  for (const std::string& flag : properties.flags) ctx.ReplyBulk(flag);
}

void ReplyErrors(MapWriter& map, const search::FailureCounter& failures) {
  map.Integer("indexing failures", failures.count);
  map.Text("last indexing error", failures.last_error);
  map.Text("last indexing error key", failures.last_key);
}

void ReplyFieldStatistics(host::Context& ctx, const Field& field, const search::FailureCounter& failures) {
  MapWriter map(ctx);
  map.Text("identifier", field.path);
  map.Text("attribute", field.name);
  map.Name("Index Errors");
  MapWriter errors(ctx);
  ReplyErrors(errors, failures);
}

void ReplySizes(MapWriter& map, const search::IndexStats& stats) {
  map.Integer("num_docs", stats.documents);
  map.Integer("max_doc_id", stats.document_id_bound);
  map.Integer("num_terms", stats.terms);
  map.Integer("num_records", stats.records);
  map.Double("inverted_sz_mb", static_cast<double>(stats.tag_bytes + stats.numeric_bytes + stats.text_bytes) / kMiB);
  map.Double("vector_index_sz_mb", static_cast<double>(stats.vector_bytes) / kMiB);
  map.Integer("total_inverted_index_blocks", 0);
  map.Double("doc_table_size_mb", static_cast<double>(stats.key_bytes) / kMiB);
  map.Double("tag_overhead_sz_mb", static_cast<double>(stats.tag_bytes) / kMiB);
  map.Double("total_index_memory_sz_mb", static_cast<double>(stats.total_bytes()) / kMiB);
}

// To the byte, where the sizes in MiB above are those that clients know.
void ReplyMemory(host::Context& ctx, const search::IndexStats& stats) {
  MapWriter map(ctx);
  map.Integer("documents", stats.key_bytes);
  map.Integer("tags", stats.tag_bytes);
  map.Integer("numbers", stats.numeric_bytes);
  map.Integer("text", stats.text_bytes);
  map.Integer("flat_vectors", stats.flat_bytes());
  map.Integer("graph_codes", stats.graph_code_bytes);
  map.Integer("graph_links", stats.graph_link_bytes);
  map.Integer("graph_ids", stats.graph_id_bytes);
  map.Integer("total", stats.total_bytes());
}

void ReplyState(MapWriter& map, const IndexReport& report) {
  map.Integer("hash_indexing_failures", report.stats.failures.count);
  map.Integer("indexing", report.indexing ? 1 : 0);
  map.Double("percent_indexed", report.part_indexed);
  map.Integer("staged_vectors", report.stats.staged_vectors);
  map.Integer("number_of_uses", report.searches);
  map.Integer("cleaning", 0);
}

// `missing`: the shards that are not in the report; null where there are no shards.
void ReplyIndex(host::Context& ctx, const search::IndexDefinition& definition, const IndexReport& report,
                const std::vector<std::string>* missing) {
  const search::IndexStats& stats = report.stats;
  MapWriter map(ctx);
  map.Text("index_name", definition.name);
  ReplyStrings(map.Name("index_options"), definition.text_options);
  ReplyDefinition(map.Name("index_definition"), definition);
  if (definition.stop_words) ReplyStrings(map.Name("stopwords_list"), *definition.stop_words);
  map.Name("attributes").ReplyArray(definition.fields.size());
  for (const Field& field : definition.fields) ReplyField(ctx, field);
  ReplySizes(map, stats);
  ReplyState(map, report);
  ReplyMemory(map.Name("memory_bytes"), stats);
  if (missing != nullptr) {
    map.Integer("number_of_shards", report.shards + missing->size());
    ReplyStrings(map.Name("shards_without_answer"), *missing);
  }
  {
    map.Name("Index Errors");
    MapWriter errors(ctx);
    ReplyErrors(errors, stats.failures);
  }
  map.Name("field statistics").ReplyArray(definition.fields.size());
  for (size_t i = 0; i < definition.fields.size(); ++i) {
    const bool known = i < stats.field_failures.size();  // another shard may not have the field yet
    ReplyFieldStatistics(ctx, definition.fields[i], known ? stats.field_failures[i] : search::FailureCounter());
  }
}

}  // namespace

base::Status FtInfo(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() != 2) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  const base::Result<Shards::Place> place = ft.PlaceOf(ctx, args);
  if (!place.ok()) return ReplyFtError(ctx, place.status());
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr) return ft.ReplyUnknown(ctx, args[1], "Unknown index name");
  if (base::Status allowed = ft.CheckMayRead(ctx, *entry); !allowed.ok()) return ReplyFtError(ctx, allowed);
  if (place->here) {
    ReplyIndex(ctx, entry->definition(), IndexReport::Of(*entry), nullptr);
    return base::OkStatus();
  }
  InfoOfShards(ft, ctx, entry, place->shards, [entry](host::Context& later, const ShardReports& reports) {
    ReplyIndex(later, entry->definition(), reports.sum, &reports.missing);
  });
  return base::OkStatus();
}

}  // namespace redoubt::ft
