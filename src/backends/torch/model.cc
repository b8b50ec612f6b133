#include "backends/torch/model.h"

#include <c10/core/InferenceMode.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>

#include <atomic>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "backends/torch/errors.h"
#include "backends/torch/values.h"

namespace redoubt::backends::torch {
namespace {

namespace jit = ::torch::jit;

std::atomic<uint64_t> g_memory_total = 0;

class BlobReader final : public caffe2::serialize::ReadAdapterInterface {
 public:
  BlobReader(const void* data, size_t size) : data_(static_cast<const char*>(data)), size_(size) {}
  size_t size() const override { return size_; }
  size_t read(uint64_t pos, void* buf, size_t n, const char* /*what*/ = "") const override {
    if (pos >= size_) return 0;
    const size_t count = std::min<size_t>(n, size_ - pos);
    std::memcpy(buf, data_ + pos, count);
    return count;
  }

 private:
  const char* data_;
  size_t size_;
};

// Only the text of the code is stored compressed; an archive that unpacks to far more than it is was made to hurt.
void CheckUnpackedSize(const std::shared_ptr<BlobReader>& blob) {
  constexpr uint64_t kRatio = 16;
  constexpr uint64_t kSlack = uint64_t{64} << 20;
  const uint64_t limit = blob->size() * kRatio + kSlack;
  caffe2::serialize::PyTorchStreamReader reader(blob);
  uint64_t total = 0;
  for (const std::string& record : reader.getAllRecords()) {
    const uint64_t size = reader.getRecordSize(record);
    if (size > limit - total) throw std::invalid_argument("the model unpacks to far more than its size: refused");
    total += size;
  }
}

// libtorch believes a model's own words about where its tensors lie.
void CheckBounds(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.has_storage() || tensor.layout() != at::kStrided || tensor.numel() == 0) return;
  uint64_t last = 0;
  uint64_t bytes = 0;
  bool bad = tensor.storage_offset() < 0 ||
             __builtin_add_overflow(last, static_cast<uint64_t>(tensor.storage_offset()), &last);
  for (int64_t d = 0; d < tensor.dim() && !bad; ++d) {
    uint64_t span = 0;
    bad = tensor.size(d) < 0 || tensor.stride(d) < 0 ||
          __builtin_mul_overflow(static_cast<uint64_t>(tensor.size(d) - 1), static_cast<uint64_t>(tensor.stride(d)),
                                 &span) ||
          __builtin_add_overflow(last, span, &last);
  }
  bad = bad || __builtin_add_overflow(last, uint64_t{1}, &last) ||
        __builtin_mul_overflow(last, static_cast<uint64_t>(tensor.itemsize()), &bytes);
  if (bad || bytes > tensor.storage().nbytes()) {
    throw std::invalid_argument("a tensor of the model lies outside of its own data: the file is damaged");
  }
}

// Visits every tensor below `value` once, and what contains them once, since a module may refer to itself.
class TensorWalk {
 public:
  void Visit(const c10::IValue& value) {
    value.visit([this](const c10::IValue& part) {
      if (part.isTensor()) {
        Count(part.toTensor());
        return false;
      }
      return part.isPtrType() && !seen_.insert(part.internalToPointer()).second;
    });
  }
  uint64_t bytes() const { return bytes_; }

 private:
  void Count(const at::Tensor& tensor) {
    CheckBounds(tensor);
    if (!tensor.defined() || !tensor.has_storage()) return;
    if (seen_.insert(tensor.storage().unsafeGetStorageImpl()).second) bytes_ += tensor.storage().nbytes();
  }

  std::unordered_set<const void*> seen_;
  uint64_t bytes_ = 0;
};

// The tensors that a value of this type holds; none: only a value tells.
std::optional<size_t> TensorsIn(const c10::TypePtr& type) {
  if (const auto tuple = type->cast<c10::TupleType>()) {
    size_t count = 0;
    for (const c10::TypePtr& element : tuple->elements()) {
      const std::optional<size_t> inside = TensorsIn(element);
      if (!inside) return std::nullopt;
      count += *inside;
    }
    return count;
  }
  switch (type->kind()) {
    case c10::TypeKind::TensorType:
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::BoolType:
      return 1;
    default:
      return std::nullopt;
  }
}

bool IsTensor(const c10::TypePtr& type) {
  if (const auto optional = type->cast<c10::OptionalType>()) return IsTensor(optional->getElementType());
  return type->kind() == c10::TypeKind::TensorType;
}

// Whether a task of its own may be started in there. Looks at the constants on the way: they are tensors too.
bool HasFork(at::ArrayRef<const jit::Block*> blocks) {
  bool found = false;
  for (const jit::Block* block : blocks) {
    for (const jit::Node* node : block->nodes()) {
      found = found || node->kind() == c10::prim::fork;
      if (node->kind() == c10::prim::Constant && node->hasAttribute(c10::attr::value) &&
          node->kindOf(c10::attr::value) == jit::AttributeKind::t) {
        CheckBounds(node->t(c10::attr::value));
      }
      if (HasFork(node->blocks())) found = true;
    }
  }
  return found;
}

redoubt_io TensorRow() {
  redoubt_io row{};
  row.name = "";
  row.dtype = REDOUBT_NOT_A_TENSOR;  // TorchScript does not say which
  row.ndim = -1;
  row.type_text = "Tensor";
  return row;
}

}  // namespace

Model::Model(jit::Module module) : module_(std::move(module)) {}

Model::~Model() { g_memory_total -= memory_; }

uint64_t Model::MemoryTotal() { return g_memory_total; }

int32_t Model::Load(const redoubt_model_source& source, std::unique_ptr<Model>* model, redoubt_error* error) {
  if (std::strncmp(source.device, "CPU", 3) != 0) {
    return Fail(error, REDOUBT_UNSUPPORTED, "ERR GPU requested but Torch couldn't find CUDA");
  }
  const auto blob = std::make_shared<BlobReader>(source.blob, source.blob_size);
  CheckUnpackedSize(blob);
  std::unique_ptr<Model> loaded(new Model(jit::load(blob, at::kCPU, /*load_debug_files=*/false)));
  loaded->module_.eval();
  TensorWalk walk;
  walk.Visit(loaded->module_._ivalue());
  loaded->memory_ = walk.bytes();
  g_memory_total += loaded->memory_;
  if (const int32_t code = loaded->ReadSignature(error); code != REDOUBT_OK) return code;
  loaded->FindInputsToCopy();
  *model = std::move(loaded);
  return REDOUBT_OK;
}

int32_t Model::ReadSignature(redoubt_error* error) {
  const std::optional<jit::Method> forward = module_.find_method("forward");
  if (!forward) return Fail(error, REDOUBT_INVALID_MODEL, "the model has no method 'forward'");
  const c10::FunctionSchema& schema = forward->function().getSchema();
  for (size_t i = 1; i < schema.arguments().size(); ++i) {
    const c10::Argument& argument = schema.arguments()[i];
    if (IsTensor(argument.type())) {
      names_.push_back(argument.name());
      type_texts_.push_back(argument.type()->str());
      argument_index_.push_back(i);
      continue;
    }
    all_arguments_are_inputs_ = false;
    if (!argument.default_value()) {
      return Fail(error, REDOUBT_INVALID_MODEL,
                  "argument '" + argument.name() + "' of forward is a " + argument.type()->str() +
                      ": only tensors can be given; give it a default or wrap the module");
    }
  }
  for (size_t i = 0; i < names_.size(); ++i) {
    inputs_.push_back(TensorRow());
    inputs_[i].name = names_[i].c_str();
    inputs_[i].type_text = type_texts_[i].c_str();
  }
  const std::optional<size_t> outputs = TensorsIn(schema.returns().at(0).type());
  counts_outputs_by_run_ = !outputs;
  outputs_.assign(outputs.value_or(0), TensorRow());
  return REDOUBT_OK;
}

void Model::FindInputsToCopy() {
  copy_.assign(inputs_.size(), true);
  const std::shared_ptr<jit::Graph> graph = module_.get_method("forward").graph()->copy();
  jit::Inline(*graph);
  if (HasFork({graph->block()})) return;
  const jit::AliasDb aliases(graph);
  for (size_t i = 0; i < copy_.size(); ++i) copy_[i] = aliases.hasWriters(graph->inputs().at(argument_index_[i]));
}

std::vector<at::Tensor> Model::Forward(const redoubt_view* inputs) {
  const c10::InferenceMode inference;
  BorrowedInputs borrowed;
  std::vector<c10::IValue> values;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    values.emplace_back(copy_[i] ? CopyOf(inputs[i]) : borrowed.Borrow(inputs[i]));
  }
  const jit::Method forward = module_.get_method("forward");
  if (all_arguments_are_inputs_) return Flatten(forward(std::move(values)));
  jit::Kwargs named;
  for (size_t i = 0; i < names_.size(); ++i) named[names_[i]] = std::move(values[i]);
  values.clear();
  return Flatten(forward({}, named));
}

int32_t Model::Run(const redoubt_view* inputs, redoubt_output* outputs, uint64_t capacity, uint64_t* output_count,
                   redoubt_error* error) {
  std::vector<at::Tensor> tensors = Forward(inputs);
  *output_count = tensors.size();
  if (tensors.size() > capacity || (!counts_outputs_by_run_ && tensors.size() != outputs_.size())) {
    return Fail(error, REDOUBT_RUN_FAILED, "the model gave " + std::to_string(tensors.size()) + " outputs");
  }
  ToOutputs(std::move(tensors), outputs);
  return REDOUBT_OK;
}

}  // namespace redoubt::backends::torch
