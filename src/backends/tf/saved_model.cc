#include "backends/tf/saved_model.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace redoubt::backends::tf {
namespace {

constexpr std::string_view kInitSignature = "__saved_model_init_op";
constexpr size_t kMaxDepth = 64;  // of calls between functions

[[noreturn]] void Refuse(const std::string& why) { throw std::invalid_argument("ERR the SavedModel " + why); }

// A map's entry: key = 1, value = 2. Parsers merge values that are given twice; we refuse them.
std::pair<std::string_view, Bytes> Entry(Bytes entry) {
  std::pair<std::string_view, Bytes> found;
  bool has_value = false;
  ForEachBytes(entry, [&](const Field& f) {
    if (f.number == 1) found.first = TextOf(f.bytes);
    if (f.number != 2) return;
    if (std::exchange(has_value, true)) throw std::invalid_argument("a value is given twice");
    found.second = f.bytes;
  });
  return found;
}

// The node whose first result is the tensor of that name; the loader feeds no other result.
std::string_view FedNode(std::string_view tensor) {
  const std::string_view node = NodeOf(tensor);
  if (tensor != node && tensor.substr(node.size()) != ":0") throw std::invalid_argument("a file name has no tensor");
  return node;
}

void ReadShape(Bytes shape, SignatureTensor* tensor) {
  tensor->has_shape = true;
  MessageReader reader(shape);
  Field f;
  while (reader.Next(&f)) {
    if (f.number == 3 && f.varint != 0) tensor->has_shape = false;  // unknown_rank
    if (f.number != 2) continue;
    int64_t size = 0;
    MessageReader dim(f.bytes);
    Field d;
    while (dim.Next(&d)) {
      if (d.number == 1) size = static_cast<int64_t>(d.varint);
    }
    tensor->shape.push_back(size);
  }
}

SignatureTensor ReadTensor(std::string_view key, Bytes info) {
  SignatureTensor tensor;
  tensor.key = key;
  ForEachBytes(info, [&](const Field& f) {
    if (f.number == 1) tensor.tensor = TextOf(f.bytes);
    if (f.number == 3) ReadShape(f.bytes, &tensor);
  });
  return tensor;
}

void ReadSignature(Bytes signature, SavedModel* model) {
  ForEachBytes(signature, [&](const Field& f) {
    if (f.number != 1 && f.number != 2) return;
    const auto [key, info] = Entry(f.bytes);
    (f.number == 1 ? model->inputs : model->outputs).push_back(ReadTensor(key, info));
  });
  const auto by_key = [](const SignatureTensor& a, const SignatureTensor& b) { return a.key < b.key; };
  std::sort(model->inputs.begin(), model->inputs.end(), by_key);
  std::sort(model->outputs.begin(), model->outputs.end(), by_key);
}

void ChooseSignature(const std::map<std::string_view, Bytes>& signatures, SavedModel* model) {
  std::vector<Bytes> own;
  for (const auto& [name, bytes] : signatures) {
    if (name == "serving_default") return ReadSignature(bytes, model);
    if (!name.starts_with("__")) own.push_back(bytes);
  }
  if (own.size() == 1) ReadSignature(own.front(), model);
}

void ReadInitSignature(Bytes signature, SavedModel* model) {
  ForEachBytes(signature, [&](const Field& f) {
    if (f.number != 2) return;
    model->init_ops.push_back(NodeOf(ReadTensor({}, Entry(f.bytes).second).tensor));
  });
}

// CollectionDef.node_list.value of the two collections that name what to run after loading, in models of TensorFlow 1.
void ReadCollection(Bytes entry, SavedModel* model) {
  const auto [key, collection] = Entry(entry);
  if (key != "saved_model_main_op" && key != "legacy_init_op") return;
  ForEachBytes(collection, [&](const Field& f) {
    if (f.number != 1) return;
    ForEachBytes(f.bytes, [&](const Field& value) {
      if (value.number == 1) model->init_ops.push_back(NodeOf(TextOf(value.bytes)));
    });
  });
}

void ReadSaver(Bytes saver, SavedModel* model) {
  ForEachBytes(saver, [&](const Field& f) {
    if (f.number == 1) model->filename_tensor = FedNode(TextOf(f.bytes));
    if (f.number == 3) model->restore_op = NodeOf(TextOf(f.bytes));
  });
}

bool IsInside(std::string_view filename) {
  if (filename.empty() || filename.front() == '/' || filename.find('\0') != std::string_view::npos) return false;
  while (!filename.empty()) {
    const size_t slash = filename.find('/');
    if (filename.substr(0, slash) == "..") return false;
    filename = slash == std::string_view::npos ? std::string_view() : filename.substr(slash + 1);
  }
  return true;
}

// AssetFileDef: tensor_info = 1, filename = 2; the loader looks for the file in assets/.
void ReadAsset(Bytes asset, SavedModel* model) {
  ForEachBytes(asset, [&](const Field& f) {
    if (f.number == 1) model->asset_tensors.insert(FedNode(ReadTensor({}, f.bytes).tensor));
    if (f.number == 2 && !IsInside(TextOf(f.bytes))) {
      Refuse("names an asset outside of its folder: '" + std::string(TextOf(f.bytes)) + "'");
    }
  });
}

std::set<std::string_view> TagsOf(Bytes meta_graph) {
  std::set<std::string_view> tags;
  ForEachBytes(meta_graph, [&](const Field& f) {
    if (f.number != 1) return;
    ForEachBytes(f.bytes, [&](const Field& info) {
      if (info.number == 4) tags.insert(TextOf(info.bytes));
    });
  });
  return tags;
}

SavedModel ReadMetaGraph(Bytes meta_graph) {
  SavedModel model;
  std::map<std::string_view, Bytes> signatures;
  ForEachBytes(meta_graph, [&](const Field& f) {
    if (f.number == 2) ReadGraph(f.bytes, &model.graph);
    if (f.number == 3) ReadSaver(f.bytes, &model);
    if (f.number == 4) ReadCollection(f.bytes, &model);
    if (f.number == 5) {
      const auto [name, signature] = Entry(f.bytes);
      signatures[name] = signature;
      if (name == kInitSignature) ReadInitSignature(signature, &model);
    }
    if (f.number == 6) ReadAsset(f.bytes, &model);
  });
  ChooseSignature(signatures, &model);
  return model;
}

// Which input of an op is the name of a file that it reads; none for other ops.
std::optional<size_t> FileInput(std::string_view op) {
  if (op == "RestoreV2") return 0;
  if (op == "InitializeTableFromTextFile" || op == "InitializeTableFromTextFileV2") return 1;
  return std::nullopt;
}

bool Saves(std::string_view op) { return op == "SaveV2" || op == "MergeV2Checkpoints"; }

// Follows one run of the loader and refuses ops that read a file other than those which the loader feeds.
class LoaderRun {
 public:
  LoaderRun(const Graph& graph, std::set<std::string_view> fed) : graph_(graph), fed_(std::move(fed)) {
    for (const Node& node : graph.nodes) by_name_.emplace(node.name, &node);
    trust_variables_ = OnlyFileNamesAreAssigned();
  }

  void Check(std::string_view root) {
    std::vector<std::string_view> open = {root};
    while (!open.empty()) {
      const std::string_view name = open.back();
      open.pop_back();
      const auto it = by_name_.find(name);
      if (it == by_name_.end() || !seen_.insert(name).second) continue;
      const Node& node = *it->second;
      CheckNode(
          node, [this](std::string_view input) { return IsFed(input); }, 0);
      for (std::string_view input : node.inputs) open.push_back(NodeOf(input));
    }
  }

 private:
  using Trusted = std::vector<bool>;  // per argument of a function: is it the name of a file that the loader feeds?

  template <class IsTrusted>
  void CheckNode(const Node& node, IsTrusted is_trusted, size_t depth) {
    if (Saves(node.op)) Refuse("saves files while it is loaded");
    if (const std::optional<size_t> file = FileInput(node.op)) {
      if (*file >= node.inputs.size() || !is_trusted(node.inputs[*file])) {
        Refuse("reads a file that is not its own while it is loaded (" + std::string(node.op) + ")");
      }
      return;
    }
    Trusted arguments;
    for (std::string_view input : node.inputs) arguments.push_back(is_trusted(input));
    const bool plain_call = node.op == "PartitionedCall" || node.op == "StatefulPartitionedCall";
    CheckFunction(node.op, arguments, depth);
    for (std::string_view function : node.functions) CheckFunction(function, plain_call ? arguments : Trusted{}, depth);
  }

  void CheckFunction(std::string_view name, const Trusted& arguments, size_t depth) {
    const auto it = graph_.functions.find(name);
    if (it == graph_.functions.end() || !seen_functions_.emplace(name, arguments).second) return;
    if (depth >= kMaxDepth) Refuse("nests its functions too deeply");
    const Function& function = it->second;
    std::map<std::string_view, const Node*> nodes;
    for (const Node& node : function.nodes) nodes.emplace(node.name, &node);
    const auto is_trusted = [&](std::string_view input) {
      for (size_t hops = 0; hops <= function.nodes.size(); ++hops) {
        const auto argument = std::find(function.arguments.begin(), function.arguments.end(), input);
        if (argument != function.arguments.end()) {
          const size_t index = static_cast<size_t>(argument - function.arguments.begin());
          return index < arguments.size() && arguments[index];
        }
        const auto node = nodes.find(NodeOf(input));
        if (node == nodes.end() || node->second->op != "Identity" || node->second->inputs.empty()) return false;
        input = node->second->inputs.front();
      }
      return false;
    };
    for (const Node& node : function.nodes) CheckNode(node, is_trusted, depth + 1);
  }

  bool IsFed(std::string_view input) const {
    for (size_t hops = 0; hops <= graph_.nodes.size(); ++hops) {
      const std::string_view name = NodeOf(input);
      if (input.starts_with('^')) return false;
      if (fed_.contains(name)) return input == name || input.substr(name.size()) == ":0";
      const auto node = by_name_.find(name);
      if (node == by_name_.end() || node->second->inputs.empty()) return false;
      if (node->second->op == "ReadVariableOp") return trust_variables_;
      if (node->second->op != "Identity") return false;
      input = node->second->inputs.front();
    }
    return false;
  }

  // TensorFlow 2 passes the names of assets through variables. A variable of strings is trusted when nothing in the
  // whole model assigns anything else to such variables.
  bool OnlyFileNamesAreAssigned() const {
    const auto assigns = [](const Node& node) {
      return node.has_string_type && (node.op.starts_with("Assign") || node.op.starts_with("Resource"));
    };
    for (const Node& node : graph_.nodes) {
      if (!assigns(node)) continue;
      if (node.op != "AssignVariableOp" || node.inputs.size() < 2 || !IsFed(node.inputs[1])) return false;
    }
    for (const auto& [name, function] : graph_.functions) {
      if (std::any_of(function.nodes.begin(), function.nodes.end(), assigns)) return false;
    }
    return true;
  }

  const Graph& graph_;
  const std::set<std::string_view> fed_;
  bool trust_variables_ = false;
  std::map<std::string_view, const Node*> by_name_;
  std::set<std::string_view> seen_;
  std::set<std::pair<std::string_view, Trusted>> seen_functions_;
};

void CheckEveryOp(const std::vector<Node>& nodes) {
  for (const Node& node : nodes) {
    if (!IsForbidden(node.op) || Saves(node.op) || FileInput(node.op)) continue;
    Refuse("holds the operation " + std::string(node.op) +
           ", which may reach outside of the model; remove it and export again");
  }
}

}  // namespace

SavedModel ReadSavedModel(Bytes saved_model_pb) {
  try {
    std::optional<Bytes> serve;
    ForEachBytes(saved_model_pb, [&](const Field& f) {
      if (f.number != 2 || TagsOf(f.bytes) != std::set<std::string_view>{"serve"}) return;
      if (serve) Refuse("has two graphs that are tagged 'serve'");
      serve = f.bytes;
    });
    if (!serve) Refuse("has no graph that is tagged 'serve' and nothing else");
    return ReadMetaGraph(*serve);
  } catch (const std::invalid_argument& e) {
    if (std::string_view(e.what()).starts_with("ERR")) throw;
    Refuse("is damaged: its saved_model.pb cannot be read");
  }
}

void CheckSavedModel(const SavedModel& model, const std::vector<std::string_view>& outputs) {
  CheckEveryOp(model.graph.nodes);
  for (const auto& [name, function] : model.graph.functions) CheckEveryOp(function.nodes);
  for (std::string_view op : OpsBehind(model.graph, outputs)) {
    if (Saves(op) || FileInput(op)) Refuse("reads or writes files for its outputs (" + std::string(op) + ")");
  }
  LoaderRun init(model.graph, model.asset_tensors);
  for (std::string_view op : model.init_ops) init.Check(op);
  std::set<std::string_view> fed = model.asset_tensors;
  fed.insert(model.filename_tensor);
  LoaderRun(model.graph, std::move(fed)).Check(model.restore_op);
}

}  // namespace redoubt::backends::tf
