#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <string>
#include <vector>

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// REDOUBT_NOT_A_TENSOR for an element type that the host does not have (complex, quantized, 8-bit floats).
redoubt_dtype FromTorch(at::ScalarType type);

// A tensor of our own with the view's bytes. Throws std::invalid_argument for strings, which libtorch does not have.
at::Tensor CopyOf(const redoubt_view& view);

// The inputs of one run, without a copy: they point into the host's memory, which the host goes on sharing with others
// and takes back after the run. So nobody may write to them, and this must end, after the run, before the host gets
// them back.
class BorrowedInputs {
 public:
  BorrowedInputs() = default;
  BorrowedInputs(const BorrowedInputs&) = delete;
  BorrowedInputs& operator=(const BorrowedInputs&) = delete;
  // Throws std::invalid_argument for strings.
  at::Tensor Borrow(const redoubt_view& view);

  // Gives everything that still refers to an input, a result or a module's attribute for instance, a copy of its own.
  ~BorrowedInputs();

 private:
  std::vector<c10::Storage> storages_;
};

// The tensors of a result in order: of a tuple, a list or a dict those of its elements; numbers and booleans as
// tensors without dimensions; nothing for None. Throws std::invalid_argument for what has no tensor form.
std::vector<at::Tensor> Flatten(c10::IValue result);

// Hands the tensors over to the host, without a copy where nobody else refers to their memory: not the module,
// not another output. All or none; throws std::invalid_argument.
void ToOutputs(std::vector<at::Tensor> tensors, redoubt_output* outputs);

// Views of tensors for a call into the host; `held` keeps what had to be made contiguous.
redoubt_view ViewOf(const at::Tensor& tensor, std::vector<at::Tensor>* held);

// A tensor over what the host gave, which is released with the last reference.
at::Tensor Adopt(const redoubt_output& output);

}  // namespace redoubt::backends::torch
