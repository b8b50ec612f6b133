#pragma once

#include <torch/csrc/jit/api/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// A loaded TorchScript module. Run() may be called on many threads at once.
class Model {
 public:
  // Reads `source.blob` and does not keep it. Returns a code; throws c10::Error and others.
  static int32_t Load(const redoubt_model_source& source, std::unique_ptr<Model>* model, redoubt_error* error);

  const std::vector<redoubt_io>& inputs() const { return inputs_; }
  const std::vector<redoubt_io>& outputs() const { return outputs_; }
  // A list or dict among its results: outputs() is empty, only a run tells.
  bool counts_outputs_by_run() const { return counts_outputs_by_run_; }
  // Parameters, buffers and other tensors of the module.
  uint64_t memory() const { return memory_; }
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Of all loaded modules.
  static uint64_t MemoryTotal();

  // Returns a code; throws.
  int32_t Run(const redoubt_view* inputs, redoubt_output* outputs, uint64_t capacity, uint64_t* output_count,
              redoubt_error* error);

 private:
  explicit Model(::torch::jit::Module module);
  int32_t ReadSignature(redoubt_error* error);
  // Which inputs the module may write to or hand to a task of its own; all, when that cannot be told.
  void FindInputsToCopy();
  std::vector<at::Tensor> Forward(const redoubt_view* inputs);

  ::torch::jit::Module module_;
  // Of forward, without self; arguments that are no tensors keep their defaults.
  std::vector<std::string> names_;
  std::vector<std::string> type_texts_;
  std::vector<size_t> argument_index_;  // in forward's graph
  std::vector<bool> copy_;
  bool all_arguments_are_inputs_ = true;
  std::vector<redoubt_io> inputs_;
  std::vector<redoubt_io> outputs_;
  bool counts_outputs_by_run_ = false;
  uint64_t memory_ = 0;
};

}  // namespace redoubt::backends::torch
