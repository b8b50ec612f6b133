#include "infer/model.h"

#include <fmt/core.h>

#include <utility>

#include "infer/division_watch.h"
#include "infer/tensor_views.h"

namespace redoubt::infer {
namespace {

using tensor::Tensor;

// Of a model that says so only by running.
constexpr size_t kMaxCountedOutputs = 1024;

ModelIo ToModelIo(const redoubt_io& io) {
  ModelIo ours;
  ours.name = io.name;
  ours.dtype = tensor::DTypeFromNumber(io.dtype);
  if (io.ndim >= 0) ours.shape.emplace(io.shape, io.shape + io.ndim);
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
  if (spec.blob.empty()) return base::InvalidArgument("the model has no bytes");
  for (const std::vector<std::string>* names : {&spec.inputs, &spec.outputs}) {
    for (const std::string& name : *names) {
      if (name.find('\0') != std::string::npos)
        return base::InvalidArgument("a name among INPUTS or OUTPUTS holds a NUL");
    }
  }
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
  const DivisionWatch divisions;
  const int32_t code = backend->table().load(&source, &model, &error);
  if (code != REDOUBT_OK) return ToStatus(code, error);
  auto built = std::make_shared<Model>(*backend, model, spec, registry.memory());
  RETURN_IF_ERROR(divisions.Outcome());
  return built;
}

Model::Model(const Backend& backend, redoubt_model* model, const ModelSpec& spec, base::MemoryResource& memory)
    : backend_(backend), model_(model), batching_(spec.batching), memory_(memory) {
  const redoubt_backend_v1& table = backend.table();
  for (uint64_t i = 0; i < table.input_count(model); ++i) inputs_.push_back(ToModelIo(*table.input(model, i)));
  for (uint64_t i = 0; i < table.output_count(model); ++i) outputs_.push_back(ToModelIo(*table.output(model, i)));
  counts_outputs_by_run_ = table.counts_outputs_by_run != nullptr && table.counts_outputs_by_run(model) != 0;
  if (table.opset != nullptr) opset_ = table.opset(model);
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
  const std::vector<redoubt_view> views = ViewsOf(inputs);
  std::vector<redoubt_output> outputs(counts_outputs_by_run_ ? kMaxCountedOutputs : outputs_.size());
  uint64_t count = outputs.size();
  redoubt_error error{};
  redoubt_run* run = own_handle ? own_handle->raw() : options.handle->raw();
  const DivisionWatch divisions;
  const int32_t code = counts_outputs_by_run_ ? backend_.table().run_counting(model_, run, views.data(), outputs.data(),
                                                                              outputs.size(), &count, &error)
                                              : backend_.table().run(model_, run, views.data(), outputs.data(), &error);
  if (code != REDOUBT_OK) return ToStatus(code, error);
  base::Result<std::vector<Tensor::Ptr>> taken = TakeOutputs(std::span(outputs).first(count), memory_);
  RETURN_IF_ERROR(divisions.Outcome());
  return taken;
}

}  // namespace redoubt::infer
