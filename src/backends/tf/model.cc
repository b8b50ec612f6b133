#include "backends/tf/model.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>

#include "backends/tf/archive.h"
#include "backends/tf/values.h"

namespace redoubt::backends::tf {
namespace {

// "name" or "name:index" in `graph`.
std::optional<TF_Output> Find(TF_Graph* graph, std::string name) {
  int index = 0;
  if (const size_t colon = name.rfind(':'); colon != std::string::npos) {
    const char* end = name.data() + name.size();
    const auto [last, error] = std::from_chars(name.data() + colon + 1, end, index);
    if (error != std::errc() || last != end || index < 0) return std::nullopt;
    name.resize(colon);
  }
  TF_Operation* operation = TF_GraphOperationByName(graph, name.c_str());
  if (operation == nullptr || index >= TF_OperationNumOutputs(operation)) return std::nullopt;
  return TF_Output{operation, index};
}

// Besides the graph itself: in the session's own graph, its optimized form and the kernels. Seen as growth of the
// process by the first run of a graph with 64 MiB of constants.
constexpr uint64_t kCopiesOfConstants = 4;
// A SavedModel's archive may hold more than its own bytes, as compressed zeros do; but not without end.
constexpr uint64_t kUnpackedBytes = uint64_t{256} << 20;
constexpr uint64_t kUnpackedFactor = 16;

// The folder with the saved_model.pb: `folder` or the only one in it.
std::filesystem::path RootOf(const std::filesystem::path& folder) {
  std::filesystem::path root = folder;
  if (!std::filesystem::exists(root / "saved_model.pb")) {
    const std::filesystem::directory_iterator entries(folder);
    const std::vector<std::filesystem::directory_entry> all(begin(entries), end(entries));
    if (all.size() == 1 && all.front().is_directory()) root = all.front().path();
  }
  if (!std::filesystem::exists(root / "saved_model.pb")) {
    throw std::invalid_argument("ERR the archive holds no saved_model.pb: pack the folder of a SavedModel");
  }
  for (const char* other : {"saved_model.pbtxt", "saved_model.cpb"}) {  // the loader would take them into account
    if (std::filesystem::exists(root / other)) {
      throw std::invalid_argument(std::string("ERR the archive holds a ") + other + ", which is not supported");
    }
  }
  return root;
}

std::string ReadFile(const std::filesystem::path& path) {
  const uint64_t size = std::filesystem::file_size(path);
  if (size > INT32_MAX) throw std::invalid_argument("ERR the SavedModel is damaged: saved_model.pb exceeds 2 GiB");
  std::string content(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(content.data(), static_cast<std::streamsize>(size))) {
    throw std::invalid_argument("ERR the SavedModel cannot be read back after unpacking");
  }
  return content;
}

std::string ShapeText(const int64_t* shape, int32_t ndim) {
  std::string text = "[";
  for (int32_t i = 0; i < ndim; ++i) {
    if (i > 0) text += ", ";
    text += shape[i] < 0 ? "?" : std::to_string(shape[i]);
  }
  return text + "]";
}

bool Fits(const redoubt_io& io, const redoubt_view& view) {
  if (io.ndim < 0) return true;
  if (io.ndim != view.ndim) return false;
  return std::equal(view.shape, view.shape + view.ndim, io.shape,
                    [](int64_t given, int64_t wanted) { return wanted < 0 || given == wanted; });
}

}  // namespace

std::vector<Model::Wanted> Model::Choose(const char* const* names, uint64_t count,
                                         const std::vector<SignatureTensor>& signature) {
  std::vector<Wanted> chosen;
  if (count == 0) {
    for (const SignatureTensor& s : signature) chosen.push_back({std::string(s.key), std::string(s.tensor), &s});
    return chosen;
  }
  for (uint64_t i = 0; i < count; ++i) {
    Wanted wanted{names[i], names[i]};
    for (const SignatureTensor& s : signature) {
      if (s.key == wanted.name) wanted = {wanted.name, std::string(s.tensor), &s};
    }
    chosen.push_back(std::move(wanted));
  }
  return chosen;
}

void Model::IoTable::Add(TF_Graph* graph, const Wanted& wanted, TF_Output tensor) {
  redoubt_io row{};
  const TF_DataType type = TF_OperationOutputType(tensor);
  row.dtype = FromTf(type);
  Status status;
  row.ndim = TF_GraphGetTensorNumDims(graph, tensor, status.get());
  status.Check();
  std::vector<int64_t> shape(static_cast<size_t>(std::max(row.ndim, 0)));
  if (row.ndim > 0) TF_GraphGetTensorShape(graph, tensor, shape.data(), row.ndim, status.get());
  status.Check();
  if (row.ndim < 0 && wanted.signature != nullptr && wanted.signature->has_shape) {
    shape = wanted.signature->shape;
    row.ndim = static_cast<int32_t>(shape.size());
  }
  tensors.push_back(tensor);
  names.push_back(wanted.name);
  type_texts.push_back(std::string("tensor(") + TypeName(type) + ")");
  shapes.push_back(std::move(shape));
  rows.push_back(row);
}

std::vector<std::string_view> Model::NodesOf(const std::vector<Wanted>& wanted) {
  std::vector<std::string_view> nodes;
  for (const Wanted& one : wanted) nodes.push_back(NodeOf(one.tensor));
  return nodes;
}

void Model::IoTable::Finish() {
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].name = names[i].c_str();
    rows[i].type_text = type_texts[i].c_str();
    rows[i].shape = shapes[i].data();
  }
}

Model::~Model() {
  if (session_ != nullptr) {
    Status status;
    TF_DeleteSession(session_, status.get());
  }
  runtime_.Count(-static_cast<int64_t>(memory_));
}

int32_t Model::Load(const redoubt_model_source& source, Runtime& runtime, std::unique_ptr<Model>* model,
                    redoubt_error* error) {
  if (std::strncmp(source.device, "CPU", 3) != 0) {
    return Fail(error, REDOUBT_UNSUPPORTED, "ERR GPU requested but TF couldn't find CUDA");
  }
  std::unique_ptr<Model> loaded(new Model(runtime));
  if (IsArchive({static_cast<const uint8_t*>(source.blob), source.blob_size})) {
    loaded->LoadSaved(source);
  } else {
    loaded->LoadFrozen(source);
  }
  *model = std::move(loaded);
  return REDOUBT_OK;
}

void Model::LoadFrozen(const redoubt_model_source& source) {
  if (source.output_count == 0) throw std::invalid_argument("ERR OUTPUTS not specified for TF");
  if (source.blob_size > INT32_MAX) throw std::invalid_argument("Invalid GraphDef: it is larger than 2 GiB");
  Graph graph;
  ReadGraph({static_cast<const uint8_t*>(source.blob), source.blob_size}, &graph);
  CheckOps(graph);
  Status status;
  const TF_Buffer bytes{source.blob, source.blob_size, nullptr};
  const std::unique_ptr<TF_ImportGraphDefOptions, decltype(&TF_DeleteImportGraphDefOptions)> options(
      TF_NewImportGraphDefOptions(), &TF_DeleteImportGraphDefOptions);
  TF_GraphImportGraphDef(graph_.get(), &bytes, options.get(), status.get());
  status.Check();
  const std::vector<Wanted> outputs = Choose(source.outputs, source.output_count, {});
  AddInputsAndOutputs(Choose(source.inputs, source.input_count, {}), outputs);
  session_ = TF_NewSession(graph_.get(), runtime_.SessionOptions().get(), status.get());
  status.Check();
  Finish(graph, NodesOf(outputs), source.blob_size + kCopiesOfConstants * graph.constant_bytes);
}

void Model::LoadSaved(const redoubt_model_source& source) {
  const PrivateFolder folder;
  const uint64_t max_bytes = kUnpackedBytes + kUnpackedFactor * source.blob_size;
  const uint64_t bytes = Unpack({static_cast<const uint8_t*>(source.blob), source.blob_size}, folder.path(), max_bytes);
  const std::filesystem::path root = RootOf(folder.path());
  const std::string pb = ReadFile(root / "saved_model.pb");
  const SavedModel saved = ReadSavedModel({reinterpret_cast<const uint8_t*>(pb.data()), pb.size()});
  const std::vector<Wanted> outputs = Choose(source.outputs, source.output_count, saved.outputs);
  if (outputs.empty()) {
    throw std::invalid_argument("ERR the SavedModel has no signature 'serving_default'; name its INPUTS and OUTPUTS");
  }
  CheckSavedModel(saved, NodesOf(outputs));
  Status status;
  const char* const tags[] = {"serve"};
  session_ = TF_LoadSessionFromSavedModel(runtime_.SessionOptions().get(), nullptr, root.c_str(), tags, 1, graph_.get(),
                                          nullptr, status.get());
  status.Check();
  AddInputsAndOutputs(Choose(source.inputs, source.input_count, saved.inputs), outputs);
  Finish(saved.graph, NodesOf(outputs), bytes + kCopiesOfConstants * saved.graph.constant_bytes);
}

void Model::AddInputsAndOutputs(const std::vector<Wanted>& inputs, const std::vector<Wanted>& outputs) {
  for (const Wanted& wanted : inputs) {
    const std::optional<TF_Output> tensor = Find(graph_.get(), wanted.tensor);
    if (!tensor) throw std::invalid_argument("ERR Input node named \"" + wanted.name + "\" not found in TF graph.");
    inputs_.Add(graph_.get(), wanted, *tensor);
  }
  for (const Wanted& wanted : outputs) {
    const std::optional<TF_Output> tensor = Find(graph_.get(), wanted.tensor);
    if (!tensor) throw std::invalid_argument("ERR Output node named \"" + wanted.name + "\" not found in TF graph");
    outputs_.Add(graph_.get(), wanted, *tensor);
  }
  inputs_.Finish();
  outputs_.Finish();
}

void Model::Finish(const Graph& graph, const std::vector<std::string_view>& outputs, uint64_t memory) {
  const std::set<std::string_view> ops = OpsBehind(graph, outputs);
  copy_inputs_ = std::any_of(ops.begin(), ops.end(), [this](auto op) { return runtime_.MayKeepInputs(op); });
  memory_ = memory;
  runtime_.Count(static_cast<int64_t>(memory_));
}

void Model::CheckInput(size_t index, const redoubt_view& view) const {
  const redoubt_io& io = inputs_.rows[index];
  if (io.dtype != view.dtype) {
    throw std::invalid_argument("Input tensor type doesn't match the type expected by the model definition: '" +
                                inputs_.names[index] + "' is " + io.type_text + ", got tensor(" + TypeName(view.dtype) +
                                ")");
  }
  if (!Fits(io, view)) {
    throw std::invalid_argument("Input tensor shape doesn't match the shape expected by the model definition: '" +
                                inputs_.names[index] + "' is " + ShapeText(io.shape, io.ndim) + ", got " +
                                ShapeText(view.shape, view.ndim));
  }
}

void Model::Run(int64_t limit_ms, const redoubt_view* inputs, redoubt_output* outputs) {
  const size_t input_count = inputs_.rows.size();
  const size_t output_count = outputs_.rows.size();
  std::vector<TensorPtr> in;
  std::vector<TF_Tensor*> raw_in;
  for (size_t i = 0; i < input_count; ++i) {
    CheckInput(i, inputs[i]);
    in.push_back(ToTensor(inputs[i], copy_inputs_));
    raw_in.push_back(in.back().get());
  }
  std::vector<TF_Tensor*> raw_out(output_count, nullptr);
  const std::string options = RunOptionsFor(limit_ms);
  const TF_Buffer options_buffer{options.data(), options.size(), nullptr};
  Status status;
  TF_SessionRun(session_, options.empty() ? nullptr : &options_buffer, inputs_.tensors.data(), raw_in.data(),
                static_cast<int>(input_count), outputs_.tensors.data(), raw_out.data(), static_cast<int>(output_count),
                nullptr, 0, nullptr, status.get());
  std::vector<TensorPtr> out;
  for (TF_Tensor* tensor : raw_out) out.emplace_back(tensor, &TF_DeleteTensor);
  status.Check();
  // All or nothing: what was converted is given back when a later one has no tensor form.
  size_t done = 0;
  try {
    for (; done < output_count; ++done) {
      outputs[done] = ToOutput(std::move(out[done]), outputs_.names[done], {inputs, input_count});
    }
  } catch (...) {
    for (size_t i = 0; i < done; ++i) outputs[i].release(outputs[i].owner);
    throw;
  }
}

}  // namespace redoubt::backends::tf
