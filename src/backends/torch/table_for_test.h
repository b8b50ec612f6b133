#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// The loaded backend; started once per process.
const redoubt_backend_v1& Table();

// A tensor of the test, or one that came out.
struct TestTensor {
  redoubt_dtype dtype = REDOUBT_FLOAT32;
  std::vector<int64_t> shape;
  std::vector<char> bytes;

  static TestTensor Floats(std::vector<int64_t> shape, const std::vector<float>& values);
  redoubt_view view() const;
  std::vector<float> floats() const;
};

// What one run gave: tensors, or a message.
struct TestRun {
  int32_t code = REDOUBT_OK;
  std::string error;
  std::vector<TestTensor> outputs;
};

// Copies and releases.
std::vector<TestTensor> TakeOutputs(const redoubt_output* outputs, uint64_t count);

struct Unload {
  void operator()(redoubt_model* model) const { Table().unload(model); }
};
using ModelPtr = std::unique_ptr<redoubt_model, Unload>;

// The bytes of a model made for the tests.
std::string ModelFile(const std::string& name);
// Null with the message in `error`.
ModelPtr LoadBlob(const std::string& blob, std::string* error, const char* device = "CPU");
// Fails the test when it does not load.
ModelPtr LoadModel(const std::string& name);
TestRun RunOnce(const ModelPtr& model, const std::vector<TestTensor>& inputs);

struct FreeScript {
  void operator()(redoubt_script* script) const { Table().scripts->free(script); }
};
using ScriptPtr = std::unique_ptr<redoubt_script, FreeScript>;

ScriptPtr CompileScript(const std::string& source, std::string* error);

}  // namespace redoubt::backends::torch
