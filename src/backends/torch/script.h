#pragma once

#include <torch/csrc/jit/api/compilation_unit.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// Functions compiled from source text. Run() may be called on many threads at once.
class Script {
 public:
  // Returns a code; throws c10::Error and others.
  static int32_t Compile(const redoubt_script_source& source, std::unique_ptr<Script>* script, redoubt_error* error);

  const std::vector<redoubt_script_function>& functions() const { return rows_; }
  uint64_t memory() const { return source_bytes_ * kBytesPerSourceByte; }

  // Returns a code; throws.
  int32_t Run(const redoubt_script_call& call, redoubt_output* outputs, uint64_t capacity, uint64_t* output_count,
              redoubt_error* error);

 private:
  // Estimated: graphs, schemas and the plans of the executor come to some forty times the text.
  static constexpr uint64_t kBytesPerSourceByte = 40;

  Script() = default;
  void ListFunctions();
  std::vector<at::Tensor> Call(::torch::jit::Function& function, bool is_entry_point, const redoubt_script_call& call);

  std::shared_ptr<::torch::jit::CompilationUnit> unit_ = std::make_shared<::torch::jit::CompilationUnit>();
  std::vector<std::string> names_;
  std::vector<std::string> signatures_;
  std::vector<redoubt_script_function> rows_;
  uint64_t source_bytes_ = 0;
};

}  // namespace redoubt::backends::torch
