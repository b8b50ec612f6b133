#include "search/create_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "search/create_text.h"
#include "search/document_filter.h"
#include "search/json_path.h"
#include "vector/flat_index.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;

constexpr std::array<std::string_view, 5> kTextOptions = {"MAXTEXTFIELDS", "NOOFFSETS", "NOHL", "NOFIELDS", "NOFREQS"};

Status NotHere(std::string_view what, std::string_view instead) {
  return base::Unimplemented(fmt::format("{} is not part of this version; {}", what, instead));
}

Status BadVector(std::string_view part, std::string_view reason) {
  return InvalidArgument(fmt::format("Bad arguments for vector similarity {}: {}", part, reason));
}

Status ParseDataType(ArgCursor& args, IndexDefinition& definition) {
  ASSIGN_OR_RETURN(std::string_view type, args.Next("ON"));
  definition.json = EqualsIgnoringCase(type, "JSON");
  if (definition.json || EqualsIgnoringCase(type, "HASH")) return OkStatus();
  return InvalidArgument(fmt::format("Invalid rule type: {}", type));
}

Status ParsePrefixes(ArgCursor& args, IndexDefinition& definition) {
  ASSIGN_OR_RETURN(std::span<const std::string_view> prefixes, args.NextList("PREFIX"));
  if (prefixes.empty()) return InvalidArgument("Bad arguments for PREFIX: Value is outside acceptable bounds");
  definition.prefixes.assign(prefixes.begin(), prefixes.end());
  return OkStatus();
}

Status ParseScore(ArgCursor& args, IndexDefinition& definition) {
  ASSIGN_OR_RETURN(definition.default_score, args.NextDouble("SCORE"));
  if (definition.default_score < 0 || definition.default_score > 1) return InvalidArgument("Invalid score");
  return OkStatus();
}

Status ParseTemporary(ArgCursor& args, IndexDefinition& definition) {
  constexpr size_t kLongest = size_t{1} << 40;
  const Result<size_t> seconds = args.NextSize("TEMPORARY");
  if (!seconds.ok() || *seconds < 1 || *seconds > kLongest) {
    return InvalidArgument("Bad arguments for TEMPORARY: give a number of seconds, at least 1");
  }
  definition.temporary_s = static_cast<int64_t>(*seconds);
  return OkStatus();
}

Status ParseIndexAll(ArgCursor& args, IndexDefinition& definition) {
  ASSIGN_OR_RETURN(std::string_view value, args.Next("INDEXALL"));
  definition.index_all = EqualsIgnoringCase(value, "ENABLE");
  if (*definition.index_all || EqualsIgnoringCase(value, "DISABLE")) return OkStatus();
  return InvalidArgument("Invalid argument for `INDEXALL`, use ENABLE/DISABLE");
}

// Which documents there are, and for how long.
Result<bool> TakeDocumentOption(ArgCursor& args, IndexDefinition& definition) {
  if (args.Take("FILTER")) {
    ASSIGN_OR_RETURN(definition.filter, args.Next("FILTER"));
  } else if (args.Take("SCORE_FIELD")) {
    ASSIGN_OR_RETURN(definition.score_field, args.Next("SCORE_FIELD"));
  } else if (args.Take("PAYLOAD_FIELD")) {
    ASSIGN_OR_RETURN(definition.payload_field, args.Next("PAYLOAD_FIELD"));
  } else if (args.Take("TEMPORARY")) {
    RETURN_IF_ERROR(ParseTemporary(args, definition));
  } else if (args.Take("INDEXALL")) {
    RETURN_IF_ERROR(ParseIndexAll(args, definition));
  } else {
    return false;
  }
  return true;
}

Result<bool> TakeTextOption(ArgCursor& args, IndexDefinition& definition) {
  for (std::string_view option : kTextOptions) {
    if (!args.Take(option)) continue;
    definition.text_options.emplace_back(option);
    return true;
  }
  return TakeTextDefinition(args, definition);
}

// Everything between the name and SCHEMA.
Status ParseOptions(ArgCursor& args, IndexDefinition& definition) {
  while (!args.Take("SCHEMA")) {
    if (args.done()) return InvalidArgument("No schema found");
    if (args.Take("ON")) {
      RETURN_IF_ERROR(ParseDataType(args, definition));
    } else if (args.Take("PREFIX")) {
      RETURN_IF_ERROR(ParsePrefixes(args, definition));
    } else if (args.Take("SCORE")) {
      RETURN_IF_ERROR(ParseScore(args, definition));
    } else if (args.Take("_ALIASES")) {
      ASSIGN_OR_RETURN(std::span<const std::string_view> aliases, args.NextList("_ALIASES"));
      definition.aliases.assign(aliases.begin(), aliases.end());
    } else if (args.Take("SKIPINITIALSCAN")) {
      definition.skip_initial_scan = true;
    } else {
      ASSIGN_OR_RETURN(bool taken, TakeDocumentOption(args, definition));
      if (taken) continue;
      ASSIGN_OR_RETURN(taken, TakeTextOption(args, definition));
      if (!taken) {
        return InvalidArgument(
            fmt::format("Unknown argument `{}` at position {} for <main>", args.Peek(), args.position()));
      }
    }
  }
  return OkStatus();
}

Status BadIndexPart(const VectorOptions& options, std::string_view part, std::string_view reason) {
  return BadVector(fmt::format("{} index {}", VectorAlgorithmName(options.algorithm), part), reason);
}

Status ParseType(std::string_view value, VectorOptions& options) {
  std::optional<vector::ElementType> type = vector::ParseElementType(value);
  if (!type) return BadIndexPart(options, "type", "Unknown argument");
  options.type = *type;
  return OkStatus();
}

Status ParseBounded(const VectorOptions& options, std::string_view part, std::string_view value, size_t lowest,
                    size_t highest, size_t& out) {
  std::optional<size_t> number = ParseSize(value);
  if (!number) return BadIndexPart(options, part, "Could not convert argument to expected type");
  if (*number < lowest || *number > highest) return BadIndexPart(options, part, "Value is outside acceptable bounds");
  out = *number;
  return OkStatus();
}

struct SeenVectorKeys {
  bool type = false;
  bool dim = false;
  bool metric = false;
};

constexpr size_t kMaxCount = size_t{1} << 31;

Status ParseEpsilon(std::string_view value, VectorOptions& options) {
  std::optional<double> epsilon = ParseDouble(value);
  if (!epsilon) return BadIndexPart(options, "epsilon", "Could not convert argument to expected type");
  if (!(*epsilon > 0)) return BadIndexPart(options, "epsilon", "Value is outside acceptable bounds");
  options.graph.epsilon = *epsilon;
  return OkStatus();
}

Status ParseTargetRecall(std::string_view value, VectorOptions& options) {
  const std::optional<double> recall = ParseDouble(value);
  if (!recall) return BadIndexPart(options, "target recall", "Could not convert argument to expected type");
  if (!(*recall > 0 && *recall < 1)) {
    return BadIndexPart(options, "target recall", "Value is outside acceptable bounds");
  }
  options.graph.target_recall = *recall;
  return OkStatus();
}

// False when HNSW has no such attribute.
Result<bool> ParseGraphAttribute(std::string_view key, std::string_view value, VectorOptions& options) {
  constexpr size_t kMaxM = 512;
  constexpr size_t kMaxEfConstruction = 65536;
  GraphOptions& graph = options.graph;
  if (EqualsIgnoringCase(key, "M")) {
    RETURN_IF_ERROR(ParseBounded(options, "m", value, 2, kMaxM, graph.m));
  } else if (EqualsIgnoringCase(key, "EF_CONSTRUCTION")) {
    RETURN_IF_ERROR(ParseBounded(options, "efc", value, 1, kMaxEfConstruction, graph.ef_construction));
  } else if (EqualsIgnoringCase(key, "EF_RUNTIME")) {
    graph.ef_auto = EqualsIgnoringCase(value, "AUTO");
    if (graph.ef_auto) return true;
    RETURN_IF_ERROR(ParseBounded(options, "efr", value, 1, kMaxCount, graph.ef_runtime));
  } else if (EqualsIgnoringCase(key, "TARGET_RECALL")) {
    RETURN_IF_ERROR(ParseTargetRecall(value, options));
  } else if (EqualsIgnoringCase(key, "EPSILON")) {
    RETURN_IF_ERROR(ParseEpsilon(value, options));
  } else if (EqualsIgnoringCase(key, "COMPRESSION")) {
    const std::optional<vector::Storage> storage = vector::ParseStorage(value);
    if (!storage) {
      return NotHere(fmt::format("COMPRESSION {}", value.substr(0, 64)),
                     "HNSW keeps codes of INT8, INT4 or BINARY, or NONE: floats");
    }
    graph.storage = *storage;
  } else {
    return false;
  }
  return true;
}

Status ParseVectorAttribute(std::string_view key, std::string_view value, VectorOptions& options,
                            SeenVectorKeys& seen) {
  if (EqualsIgnoringCase(key, "TYPE")) {
    seen.type = true;
    return ParseType(value, options);
  }
  if (EqualsIgnoringCase(key, "DIM")) {
    seen.dim = true;
    return ParseBounded(options, "dim", value, 1, vector::kMaxDim, options.dim);
  }
  if (EqualsIgnoringCase(key, "DISTANCE_METRIC")) {
    seen.metric = true;
    std::optional<vector::Metric> metric = vector::ParseMetric(value);
    if (!metric) return BadIndexPart(options, "metric", "Unknown argument");
    options.metric = *metric;
    return OkStatus();
  }
  if (EqualsIgnoringCase(key, "INITIAL_CAP")) {
    return ParseBounded(options, "initial cap", value, 1, kMaxCount, options.initial_cap.emplace());
  }
  if (options.algorithm == VectorAlgorithm::kHnsw) {
    ASSIGN_OR_RETURN(bool taken, ParseGraphAttribute(key, value, options));
    if (taken) return OkStatus();
  } else if (EqualsIgnoringCase(key, "BLOCK_SIZE")) {
    return ParseBounded(options, "block size", value, 1, kMaxCount, options.block_size.emplace());
  }
  return InvalidArgument(
      fmt::format("Bad arguments for algorithm {}: {}", VectorAlgorithmName(options.algorithm), key));
}

Result<VectorAlgorithm> ParseAlgorithm(ArgCursor& args) {
  ASSIGN_OR_RETURN(std::string_view algorithm, args.Next("vector similarity algorithm"));
  for (VectorAlgorithm known : {VectorAlgorithm::kFlat, VectorAlgorithm::kHnsw}) {
    if (EqualsIgnoringCase(algorithm, VectorAlgorithmName(known))) return known;
  }
  if (EqualsIgnoringCase(algorithm, "SVS-VAMANA")) {
    return NotHere("Vector algorithm SVS-VAMANA", "use HNSW, a graph of compressed vectors too");
  }
  return BadVector("algorithm", "Unknown argument");
}

Status ParseVector(ArgCursor& args, VectorOptions& options) {
  ASSIGN_OR_RETURN(options.algorithm, ParseAlgorithm(args));
  if (!args.done() && ParseSize(args.Peek()).value_or(0) % 2 != 0) {
    return InvalidArgument(
        fmt::format("Bad number of arguments for vector similarity index: got {} but expected even number as algorithm "
                    "parameters (should be submitted as named arguments)",
                    args.Peek()));
  }
  ASSIGN_OR_RETURN(std::span<const std::string_view> attributes,
                   args.NextList("vector similarity number of parameters"));
  SeenVectorKeys seen;
  for (size_t i = 0; i < attributes.size(); i += 2) {
    RETURN_IF_ERROR(ParseVectorAttribute(attributes[i], attributes[i + 1], options, seen));
  }
  for (auto [have, name] : {std::pair(seen.type, "TYPE"), {seen.dim, "DIM"}, {seen.metric, "DISTANCE_METRIC"}}) {
    if (have) continue;
    return InvalidArgument(
        fmt::format("Missing mandatory parameter: cannot create {} index without specifying {} argument",
                    VectorAlgorithmName(options.algorithm), name));
  }
  if (options.graph.target_recall && !options.graph.ef_auto) {
    return BadIndexPart(options, "target recall", "It needs EF_RUNTIME AUTO");
  }
  return OkStatus();
}

Status ParseTag(ArgCursor& args, TagOptions& options) {
  while (true) {
    if (args.Take("SEPARATOR")) {
      ASSIGN_OR_RETURN(std::string_view separator, args.Next("SEPARATOR"));
      if (separator.size() != 1) {
        return InvalidArgument(fmt::format("Tag separator must be a single character. Got `{}`", separator));
      }
      options.separator = separator[0];
    } else if (args.Take("CASESENSITIVE")) {
      options.case_sensitive = true;
    } else if (!args.Take("WITHSUFFIXTRIE")) {  // only a matter of speed
      return OkStatus();
    }
  }
}

Status ParseFieldTail(ArgCursor& args, Field& field) {
  while (!args.done()) {
    if (field.type != FieldType::kVector && args.Take("SORTABLE")) {
      field.sortable = true;
      field.unf = args.Take("UNF");
    } else if (field.type != FieldType::kVector && args.Take("NOINDEX")) {
      field.no_index = true;
    } else if (args.Take("INDEXMISSING")) {
      field.index_missing = true;
    } else if (args.Take("INDEXEMPTY")) {
      if (field.type != FieldType::kText) {
        return NotHere("INDEXEMPTY of other fields than TEXT", fmt::format("leave it out of field `{}`", field.name));
      }
      field.index_empty = true;
    } else {
      return OkStatus();
    }
  }
  return OkStatus();
}

Status ParseFieldType(ArgCursor& args, Field& field) {
  if (args.Take("VECTOR")) {
    field.type = FieldType::kVector;
    return ParseVector(args, field.vector);
  }
  if (args.Take("TAG")) {
    field.type = FieldType::kTag;
    return ParseTag(args, field.tag);
  }
  if (args.Take("NUMERIC")) {
    field.type = FieldType::kNumeric;
    return OkStatus();
  }
  if (args.Take("TEXT")) {
    field.type = FieldType::kText;
    return ParseTextField(args, field);
  }
  for (std::string_view type : {"GEO", "GEOSHAPE"}) {
    if (args.Take(type)) {
      return NotHere(fmt::format("Field type {} (field `{}`)", type, field.name),
                     "fields may be TAG, NUMERIC, TEXT or VECTOR");
    }
  }
  return InvalidArgument(fmt::format("Invalid field type for field `{}`", field.name));
}

Result<Field> ParseField(ArgCursor& args, bool json) {
  Field field;
  if (json) field.tag.separator = TagOptions::kNone;
  ASSIGN_OR_RETURN(std::string_view path, args.Next("SCHEMA"));
  field.path = field.name = path;
  if (args.Take("AS")) {
    ASSIGN_OR_RETURN(std::string_view name, args.Next("AS"));
    field.name = name;
  }
  RETURN_IF_ERROR(ParseFieldType(args, field));
  field.vector.several = json && MayFindSeveral(field.path);
  RETURN_IF_ERROR(ParseFieldTail(args, field));
  return field;
}

void AppendGraph(const GraphOptions& graph, std::vector<std::string>& attributes) {
  attributes.insert(attributes.end(), {"M", std::to_string(graph.m)});
  attributes.insert(attributes.end(), {"EF_CONSTRUCTION", std::to_string(graph.ef_construction)});
  attributes.insert(attributes.end(), {"EF_RUNTIME", graph.ef_auto ? "AUTO" : std::to_string(graph.ef_runtime)});
  if (graph.target_recall)
    attributes.insert(attributes.end(), {"TARGET_RECALL", fmt::format("{}", *graph.target_recall)});
  attributes.insert(attributes.end(), {"EPSILON", fmt::format("{}", graph.epsilon)});
  attributes.insert(attributes.end(), {"COMPRESSION", std::string(vector::StorageName(graph.storage))});
}

void AppendVector(const VectorOptions& vector, std::vector<std::string>& args) {
  std::vector<std::string> attributes = {"TYPE",
                                         std::string(vector::ElementName(vector.type)),
                                         "DIM",
                                         std::to_string(vector.dim),
                                         "DISTANCE_METRIC",
                                         std::string(vector::MetricName(vector.metric))};
  if (vector.initial_cap) attributes.insert(attributes.end(), {"INITIAL_CAP", std::to_string(*vector.initial_cap)});
  if (vector.block_size) attributes.insert(attributes.end(), {"BLOCK_SIZE", std::to_string(*vector.block_size)});
  if (vector.algorithm == VectorAlgorithm::kHnsw) AppendGraph(vector.graph, attributes);
  args.insert(args.end(),
              {"VECTOR", std::string(VectorAlgorithmName(vector.algorithm)), std::to_string(attributes.size())});
  args.insert(args.end(), attributes.begin(), attributes.end());
}

void AppendField(const Field& field, std::vector<std::string>& args) {
  args.insert(args.end(), {field.path, "AS", field.name});
  if (field.type == FieldType::kVector) {
    AppendVector(field.vector, args);
  } else {
    args.emplace_back(FieldTypeName(field.type));
  }
  if (field.type == FieldType::kTag) {
    args.insert(args.end(), {"SEPARATOR", std::string(1, field.tag.separator)});
    if (field.tag.case_sensitive) args.emplace_back("CASESENSITIVE");
  }
  if (field.type == FieldType::kText) AppendTextField(field, args);
  if (field.sortable) args.emplace_back("SORTABLE");
  if (field.unf) args.emplace_back("UNF");
  if (field.no_index) args.emplace_back("NOINDEX");
  if (field.index_missing) args.emplace_back("INDEXMISSING");
}

}  // namespace

Status ParseFields(ArgCursor& args, IndexDefinition& definition) {
  if (args.done()) return InvalidArgument("Fields arguments are missing");
  while (!args.done()) {
    ASSIGN_OR_RETURN(Field field, ParseField(args, definition.json));
    if (definition.FindField(field.name)) {
      return InvalidArgument(fmt::format("Duplicate field in schema - {}", field.name));
    }
    definition.fields.push_back(std::move(field));
    if (definition.fields.size() > 1024) return InvalidArgument("Schema is limited to 1024 fields");
  }
  return OkStatus();
}

Result<IndexDefinition> ParseCreate(std::span<const std::string_view> arguments) {
  ArgCursor args(arguments);
  IndexDefinition definition;
  ASSIGN_OR_RETURN(std::string_view name, args.Next("index name"));
  definition.name = name;
  RETURN_IF_ERROR(ParseOptions(args, definition));
  RETURN_IF_ERROR(ParseFields(args, definition));
  if (!definition.filter.empty()) {
    RETURN_IF_ERROR(DocumentFilter::Parse(definition.filter, definition).status());
  }
  return definition;
}

std::vector<std::string> CreateArgs(const IndexDefinition& definition) {
  std::vector<std::string> args = {definition.name, "ON", definition.json ? "JSON" : "HASH", "PREFIX",
                                   std::to_string(definition.prefixes.size())};
  args.insert(args.end(), definition.prefixes.begin(), definition.prefixes.end());
  args.insert(args.end(), {"SCORE", fmt::format("{}", definition.default_score)});
  if (definition.skip_initial_scan) args.emplace_back("SKIPINITIALSCAN");
  if (!definition.filter.empty()) args.insert(args.end(), {"FILTER", definition.filter});
  if (!definition.score_field.empty()) args.insert(args.end(), {"SCORE_FIELD", definition.score_field});
  if (!definition.payload_field.empty()) args.insert(args.end(), {"PAYLOAD_FIELD", definition.payload_field});
  if (definition.temporary_s > 0) args.insert(args.end(), {"TEMPORARY", std::to_string(definition.temporary_s)});
  if (definition.index_all) args.insert(args.end(), {"INDEXALL", *definition.index_all ? "ENABLE" : "DISABLE"});
  if (!definition.aliases.empty()) {
    args.insert(args.end(), {"_ALIASES", std::to_string(definition.aliases.size())});
    args.insert(args.end(), definition.aliases.begin(), definition.aliases.end());
  }
  args.insert(args.end(), definition.text_options.begin(), definition.text_options.end());
  AppendTextDefinition(definition, args);
  args.emplace_back("SCHEMA");
  for (const Field& field : definition.fields) AppendField(field, args);
  return args;
}

}  // namespace redoubt::search
