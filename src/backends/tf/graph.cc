#include "backends/tf/graph.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace redoubt::backends::tf {
namespace {

constexpr int kMaxDepth = 32;  // of functions named within the attributes of functions

// Taken from the list of all ops of TensorFlow 2.21: those with a file name, an address, a serialized graph or foreign
// code among their inputs or attributes. Sorted.
constexpr auto kForbidden = std::to_array<std::string_view>({
    "Abort",
    "CSVDataset",
    "CSVDatasetV2",
    "CacheDataset",
    "CacheDatasetV2",
    "CalibrationStatisticsSaver",
    "Copy",
    "CopyHost",
    "CreateSummaryDbWriter",
    "CreateSummaryFileWriter",
    "CustomAggregator",
    "DTensorRestoreV2",
    "DatasetFromGraph",
    "DatasetToTFRecord",
    "DecodeProtoV2",
    "DeserializeIterator",
    "DistributedSave",
    "DumpTensor",
    "EagerPyFunc",
    "EncodeProto",
    "ExperimentalCSVDataset",
    "ExperimentalDatasetToTFRecord",
    "ExperimentalLMDBDataset",
    "ExperimentalMatchingFilesDataset",
    "ExperimentalSqlDataset",
    "FileSystemSetConfiguration",
    "FixedLengthRecordDataset",
    "FixedLengthRecordDatasetV2",
    "FixedLengthRecordReader",
    "FixedLengthRecordReaderV2",
    "FixedUnigramCandidateSampler",
    "GenerateVocabRemapping",
    "ImmutableConst",
    "ImportEvent",
    "InitializeTableFromTextFile",
    "InitializeTableFromTextFileV2",
    "LMDBDataset",
    "LMDBReader",
    "ListSnapshotChunksDataset",
    "LoadAndRemapMatrix",
    "LoadDataset",
    "MatchingFiles",
    "MatchingFilesDataset",
    "MergeV2Checkpoints",
    "MlirPassthroughOp",
    "PrintV2",
    "PyFunc",
    "PyFuncStateless",
    "ReadFile",
    "RecordInput",
    "RegisterDataset",
    "RegisterDatasetV2",
    "RemoteCall",
    "SqlDataset",
    "TFRecordDataset",
    "TFRecordDatasetV2",
    "TFRecordReader",
    "TFRecordReaderV2",
    "TextLineDataset",
    "TextLineReader",
    "TextLineReaderV2",
    "WholeFileReader",
    "WholeFileReaderV2",
    "WorkerHeartbeat",
    "WriteFile",
    "XlaCallModule",
});
static_assert(std::is_sorted(kForbidden.begin(), kForbidden.end()));

// Whole families.
constexpr auto kForbiddenPrefixes = std::to_array<std::string_view>(
    {"DataService", "Debug", "Restore", "Rpc", "Save", "Snapshot", "TPU", "XlaCustomCall", "_"});

// Sets a field that a message has once. Given twice, parsers keep the last; we refuse to guess.
void SetOnce(std::string_view* field, Bytes bytes) {
  if (field->data() != nullptr) throw std::invalid_argument("a field is given twice");
  *field = TextOf(bytes);
}

void ReadAttribute(Bytes value, Node* node, int depth);

// NameAttrList: a function and the attributes it is called with.
void ReadFunctionName(Bytes list, Node* node, int depth) {
  if (depth > kMaxDepth) throw std::invalid_argument("functions are nested too deeply");
  ForEachBytes(list, [&](const Field& f) {
    if (f.number == 1) node->functions.push_back(TextOf(f.bytes));
    if (f.number != 2) return;
    ForEachBytes(f.bytes, [&](const Field& entry) {
      if (entry.number == 2) ReadAttribute(entry.bytes, node, depth + 1);
    });
  });
}

// AttrValue: type = 6, func = 10, list = 1 with func = 9.
void ReadAttribute(Bytes value, Node* node, int depth) {
  constexpr uint64_t kStringType = 7;
  MessageReader reader(value);
  Field f;
  while (reader.Next(&f)) {
    if (f.number == 6 && f.varint == kStringType) node->has_string_type = true;
    if (f.number == 10 && f.is_bytes) ReadFunctionName(f.bytes, node, depth);
    if (f.number != 1 || !f.is_bytes) continue;
    ForEachBytes(f.bytes, [&](const Field& item) {
      if (item.number == 9) ReadFunctionName(item.bytes, node, depth);
    });
  }
}

Node ReadNode(Bytes bytes, uint64_t* constant_bytes) {
  Node node;
  uint64_t attribute_bytes = 0;
  ForEachBytes(bytes, [&](const Field& f) {
    if (f.number == 1) SetOnce(&node.name, f.bytes);
    if (f.number == 2) SetOnce(&node.op, f.bytes);
    if (f.number == 3) node.inputs.push_back(TextOf(f.bytes));
    if (f.number != 5) return;
    attribute_bytes += f.bytes.size();
    ForEachBytes(f.bytes, [&](const Field& entry) {
      if (entry.number == 2) ReadAttribute(entry.bytes, &node, 0);
    });
  });
  if (node.op == "Const") *constant_bytes += attribute_bytes;
  return node;
}

void ReadFunction(Bytes bytes, Graph* graph) {
  std::string_view name;
  Function function;
  ForEachBytes(bytes, [&](const Field& f) {
    if (f.number == 3) function.nodes.push_back(ReadNode(f.bytes, &graph->constant_bytes));
    if (f.number != 1) return;
    ForEachBytes(f.bytes, [&](const Field& s) {
      if (s.number == 1) SetOnce(&name, s.bytes);
      if (s.number != 2) return;
      function.arguments.emplace_back();
      ForEachBytes(s.bytes, [&](const Field& a) {
        if (a.number == 1) SetOnce(&function.arguments.back(), a.bytes);
      });
    });
  });
  if (!graph->functions.emplace(name, std::move(function)).second) {
    throw std::invalid_argument("a function is defined twice");
  }
}

// Computes OpsBehind().
class Walk {
 public:
  explicit Walk(const Graph& graph) : graph_(graph) {
    for (const Node& node : graph.nodes) by_name_.emplace(node.name, &node);
  }

  void From(std::string_view root) {
    std::vector<std::string_view> open = {root};
    while (!open.empty()) {
      const std::string_view name = open.back();
      open.pop_back();
      const auto it = by_name_.find(name);
      if (it == by_name_.end() || !seen_.insert(name).second) continue;
      Note(*it->second);
      for (std::string_view input : it->second->inputs) open.push_back(NodeOf(input));
    }
  }
  std::set<std::string_view> ops() && { return std::move(ops_); }

 private:
  void Note(const Node& node) {
    ops_.insert(node.op);
    NoteFunction(node.op);
    for (std::string_view function : node.functions) NoteFunction(function);
  }
  // A function runs as a whole. Not recursive: hostile chains of functions are long.
  void NoteFunction(std::string_view name) {
    std::vector<std::string_view> open = {name};
    while (!open.empty()) {
      const auto it = graph_.functions.find(open.back());
      open.pop_back();
      if (it == graph_.functions.end() || !seen_functions_.insert(it->first).second) continue;
      for (const Node& node : it->second.nodes) {
        ops_.insert(node.op);
        open.push_back(node.op);
        open.insert(open.end(), node.functions.begin(), node.functions.end());
      }
    }
  }

  const Graph& graph_;
  std::map<std::string_view, const Node*> by_name_;
  std::set<std::string_view> seen_;
  std::set<std::string_view> seen_functions_;
  std::set<std::string_view> ops_;
};

}  // namespace

void ReadGraph(Bytes graph_def, Graph* graph) {
  try {
    ForEachBytes(graph_def, [&](const Field& f) {
      if (f.number == 1) graph->nodes.push_back(ReadNode(f.bytes, &graph->constant_bytes));
      if (f.number != 2) return;
      ForEachBytes(f.bytes, [&](const Field& l) {
        if (l.number == 1) ReadFunction(l.bytes, graph);
      });
    });
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument("Invalid GraphDef");
  }
}

std::string_view NodeOf(std::string_view input) {
  if (input.starts_with('^')) input.remove_prefix(1);
  return input.substr(0, input.find(':'));
}

std::set<std::string_view> OpsBehind(const Graph& graph, const std::vector<std::string_view>& roots) {
  Walk walk(graph);
  for (std::string_view root : roots) walk.From(root);
  return std::move(walk).ops();
}

bool IsForbidden(std::string_view op) {
  if (std::binary_search(kForbidden.begin(), kForbidden.end(), op)) return true;
  return std::any_of(kForbiddenPrefixes.begin(), kForbiddenPrefixes.end(),
                     [op](std::string_view prefix) { return op.starts_with(prefix); });
}

void CheckOps(const Graph& graph) {
  const auto check = [](const std::vector<Node>& nodes) {
    for (const Node& node : nodes) {
      if (!IsForbidden(node.op)) continue;
      throw std::invalid_argument("ERR the graph holds the operation " + std::string(node.op) +
                                  ", which may reach outside of the model; remove it and freeze the graph again");
    }
  };
  check(graph.nodes);
  for (const auto& [name, function] : graph.functions) check(function.nodes);
}

}  // namespace redoubt::backends::tf
