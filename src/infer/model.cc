#include "infer/model.h"

#include <fmt/core.h>

#include <utility>

namespace redoubt::infer {
namespace {

using tensor::Tensor;

// Below this a copy is cheaper than keeping the backend's own object alive for as long as the tensor.
constexpr size_t kCopyLimitBytes = 4096;

base::Status ToStatus(int32_t code, const redoubt_error& error) {
  switch (code) {
    case REDOUBT_INVALID_MODEL:
    case REDOUBT_INVALID_INPUT:
      return base::InvalidArgument(error.message);
    case REDOUBT_CANCELLED:
      return base::Cancelled(error.message);
    case REDOUBT_OUT_OF_MEMORY:
      return base::ResourceExhausted(error.message);
    case REDOUBT_UNSUPPORTED:
      return base::Unimplemented(error.message);
    case REDOUBT_RUN_FAILED:
      return base::FailedPrecondition(error.message);
    default:
      return base::Internal(error.message);
  }
}

redoubt_view ViewOf(const Tensor& tensor) {
  redoubt_view view{};
  view.data = tensor.data().data();
  view.byte_size = tensor.byte_size();
  view.shape = tensor.shape().data();
  view.ndim = static_cast<int32_t>(tensor.shape().size());
  view.dtype = static_cast<redoubt_dtype>(tensor.dtype());
  view.string_offsets = tensor.string_offsets().data();
  return view;
}

ModelIo ToModelIo(const redoubt_io& io) {
  ModelIo ours;
  ours.name = io.name;
  ours.dtype = tensor::DTypeFromNumber(io.dtype);
  if (io.ndim > 0) ours.shape.assign(io.shape, io.shape + io.ndim);
  ours.type_text = io.type_text;
  return ours;
}

std::vector<const char*> Pointers(const std::vector<std::string>& names) {
  std::vector<const char*> pointers;
  pointers.reserve(names.size());
  for (const std::string& name : names) pointers.push_back(name.c_str());
  return pointers;
}

}  // namespace

base::Result<std::shared_ptr<RunHandle>> RunHandle::Create(const Backend& backend) {
  redoubt_error error{};
  redoubt_run* run = backend.table().run_create(&error);
  if (run == nullptr) return base::ResourceExhausted(error.message);
  return std::make_shared<RunHandle>(backend, run);
}

void RunHandle::Cancel() {
  if (backend_.table().run_cancel != nullptr) backend_.table().run_cancel(run_);
}

void RunHandle::Limit(int64_t limit_ms) {
  if (backend_.table().run_limit != nullptr) backend_.table().run_limit(run_, limit_ms);
}

base::Result<std::shared_ptr<Model>> Model::Build(BackendRegistry& registry, const ModelSpec& spec) {
  ASSIGN_OR_RETURN(const Backend* backend, registry.Get(spec.backend));
  const std::vector<const char*> inputs = Pointers(spec.inputs);
  const std::vector<const char*> outputs = Pointers(spec.outputs);
  redoubt_model_source source{};
  source.blob = spec.blob.data();
  source.blob_size = spec.blob.size();
  source.device = spec.device.c_str();
  source.inputs = inputs.data();
  source.input_count = inputs.size();
  source.outputs = outputs.data();
  source.output_count = outputs.size();
  redoubt_model* model = nullptr;
  redoubt_error error{};
  const int32_t code = backend->table().load(&source, &model, &error);
  if (code != REDOUBT_OK) return ToStatus(code, error);
  return std::make_shared<Model>(*backend, model, spec, registry.memory());
}

Model::Model(const Backend& backend, redoubt_model* model, const ModelSpec& spec, base::MemoryResource& memory)
    : backend_(backend), model_(model), batching_(spec.batching), memory_(memory) {
  const redoubt_backend_v1& table = backend.table();
  for (uint64_t i = 0; i < table.input_count(model); ++i) inputs_.push_back(ToModelIo(*table.input(model, i)));
  for (uint64_t i = 0; i < table.output_count(model); ++i) outputs_.push_back(ToModelIo(*table.output(model, i)));
}

Model::~Model() { backend_.table().unload(model_); }

size_t Model::memory_bytes() const { return backend_.table().memory(model_); }

base::Result<std::vector<Tensor::Ptr>> Model::Run(std::span<const Tensor::Ptr> inputs,
                                                  const RunOptions& options) const {
  if (inputs.size() != inputs_.size()) {
    return base::InvalidArgument(fmt::format("{} inputs given, the model has {}", inputs.size(), inputs_.size()));
  }
  std::shared_ptr<RunHandle> own_handle;
  if (options.handle == nullptr) {
    ASSIGN_OR_RETURN(own_handle, RunHandle::Create(backend_));
  }
  std::vector<redoubt_view> views;
  views.reserve(inputs.size());
  for (const Tensor::Ptr& input : inputs) views.push_back(ViewOf(*input));
  std::vector<redoubt_output> outputs(outputs_.size());
  redoubt_error error{};
  redoubt_run* run = own_handle ? own_handle->raw() : options.handle->raw();
  const int32_t code = backend_.table().run(model_, run, views.data(), outputs.data(), &error);
  if (code != REDOUBT_OK) return ToStatus(code, error);
  return TakeOutputs(outputs);
}

base::Result<std::vector<Tensor::Ptr>> Model::TakeOutputs(std::span<redoubt_output> outputs) const {
  std::vector<std::shared_ptr<void>> owners;
  owners.reserve(outputs.size());
  for (const redoubt_output& output : outputs) {
    owners.emplace_back(output.owner, [release = output.release](void* owner) {
      if (release != nullptr) release(owner);
    });
  }
  std::vector<Tensor::Ptr> tensors;
  tensors.reserve(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const redoubt_view& view = outputs[i].view;
    const std::optional<tensor::DType> dtype = tensor::DTypeFromNumber(view.dtype);
    if (!dtype) return base::Internal(fmt::format("output {} has an unknown element type {}", i, view.dtype));
    std::vector<int64_t> shape(view.shape, view.shape + view.ndim);
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(view.data), view.byte_size);
    if (*dtype == tensor::DType::kString || bytes.size() <= kCopyLimitBytes || outputs[i].release == nullptr) {
      ASSIGN_OR_RETURN(auto copied, Tensor::FromBlob(*dtype, std::move(shape), bytes, memory_));
      tensors.push_back(std::move(copied));
    } else {
      ASSIGN_OR_RETURN(auto adopted, Tensor::Adopt(*dtype, std::move(shape), bytes, owners[i]));
      tensors.push_back(std::move(adopted));
    }
  }
  return tensors;
}

}  // namespace redoubt::infer
