#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "infer/backend_api.h"
#include "tensor/tensor.h"

namespace redoubt::infer {

// Tensors and errors across the backends' C contract.

// Borrowed: valid while `tensor` is.
redoubt_view ViewOf(const tensor::Tensor& tensor);
std::vector<redoubt_view> ViewsOf(std::span<const tensor::Tensor::Ptr> tensors);

// Tensors from results, which are released with the last reference to them; small ones are copied.
base::Result<std::vector<tensor::Tensor::Ptr>> TakeOutputs(std::span<const redoubt_output> outputs,
                                                           base::MemoryResource& memory);

// What a backend lends us, as a tensor that is valid for as long as the loan. Not for strings.
base::Result<tensor::Tensor::Ptr> Borrow(const redoubt_view& view);
// A tensor of ours that a backend keeps for a while; released, it is ours alone again.
redoubt_output LendOutput(tensor::Tensor::Ptr tensor);

base::Status ToStatus(int32_t code, const redoubt_error& error);
// The other way, for what a backend asks of us.
int32_t FromStatus(const base::Status& status, redoubt_error* error);

}  // namespace redoubt::infer
