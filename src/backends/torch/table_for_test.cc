#include "backends/torch/table_for_test.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace redoubt::backends::torch {
namespace {

redoubt_host MakeHost() {
  redoubt_host host{};
  host.allocate = [](void*, uint64_t bytes) { return std::aligned_alloc(64, (bytes + 63) / 64 * 64); };
  host.deallocate = [](void*, void* p, uint64_t) { std::free(p); };
  host.intra_op_threads = 1;
  return host;
}

const redoubt_backend_v1* LoadTable() {
  void* library = dlopen(REDOUBT_BACKENDS_DIR "/redoubt_torch.so", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::abort();
  }
  auto get = reinterpret_cast<redoubt_backend_get_fn>(dlsym(library, REDOUBT_BACKEND_SYMBOL));
  static const redoubt_host host = MakeHost();
  redoubt_error error{};
  if (get()->start(&host, &error) != REDOUBT_OK) {
    std::fprintf(stderr, "%s\n", error.message);
    std::abort();
  }
  return get();
}

}  // namespace

const redoubt_backend_v1& Table() {
  static const redoubt_backend_v1* table = LoadTable();
  return *table;
}

TestTensor TestTensor::Floats(std::vector<int64_t> shape, const std::vector<float>& values) {
  TestTensor tensor;
  tensor.shape = std::move(shape);
  tensor.bytes.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

redoubt_view TestTensor::view() const {
  redoubt_view view{};
  view.data = bytes.data();
  view.byte_size = bytes.size();
  view.shape = shape.data();
  view.ndim = static_cast<int32_t>(shape.size());
  view.dtype = dtype;
  return view;
}

std::vector<float> TestTensor::floats() const {
  EXPECT_EQ(dtype, REDOUBT_FLOAT32);
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<TestTensor> TakeOutputs(const redoubt_output* outputs, uint64_t count) {
  std::vector<TestTensor> tensors;
  for (uint64_t i = 0; i < count; ++i) {
    const redoubt_view& view = outputs[i].view;
    TestTensor tensor;
    tensor.dtype = view.dtype;
    tensor.shape.assign(view.shape, view.shape + view.ndim);
    const char* data = static_cast<const char*>(view.data);
    tensor.bytes.assign(data, data + view.byte_size);
    tensors.push_back(std::move(tensor));
    if (outputs[i].release != nullptr) outputs[i].release(outputs[i].owner);
  }
  return tensors;
}

std::string ModelFile(const std::string& name) {
  std::ifstream file(std::string(REDOUBT_TORCH_MODELS) + "/" + name + ".pt", std::ios::binary);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

ModelPtr LoadBlob(const std::string& blob, std::string* error, const char* device) {
  redoubt_model_source source{};
  source.blob = blob.data();
  source.blob_size = blob.size();
  source.device = device;
  redoubt_model* model = nullptr;
  redoubt_error failure{};
  if (Table().load(&source, &model, &failure) != REDOUBT_OK) *error = failure.message;
  return ModelPtr(model);
}

ModelPtr LoadModel(const std::string& name) {
  std::string error;
  ModelPtr model = LoadBlob(ModelFile(name), &error);
  EXPECT_TRUE(model) << error;
  return model;
}

TestRun RunOnce(const ModelPtr& model, const std::vector<TestTensor>& inputs) {
  constexpr uint64_t kCapacity = 16;
  const redoubt_backend_v1& table = Table();
  std::vector<redoubt_view> views;
  for (const TestTensor& input : inputs) views.push_back(input.view());
  std::vector<redoubt_output> outputs(kCapacity);
  redoubt_error error{};
  redoubt_run* run = table.run_create(&error);
  TestRun result;
  uint64_t count = table.output_count(model.get());
  if (table.counts_outputs_by_run(model.get()) != 0) {
    result.code = table.run_counting(model.get(), run, views.data(), outputs.data(), kCapacity, &count, &error);
  } else {
    result.code = table.run(model.get(), run, views.data(), outputs.data(), &error);
  }
  table.run_free(run);
  if (result.code == REDOUBT_OK) {
    result.outputs = TakeOutputs(outputs.data(), count);
  } else {
    result.error = error.message;
  }
  return result;
}

ScriptPtr CompileScript(const std::string& source, std::string* error) {
  const redoubt_script_source text{{source.data(), source.size()}, "CPU"};
  redoubt_script* script = nullptr;
  redoubt_error failure{};
  if (Table().scripts->compile(&text, &script, &failure) != REDOUBT_OK) *error = failure.message;
  return ScriptPtr(script);
}

}  // namespace redoubt::backends::torch
