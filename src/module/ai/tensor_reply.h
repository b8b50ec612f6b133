#pragma once

#include "module/host/context.h"
#include "tensor/tensor.h"

namespace redoubt::ai {

// The elements one by one, row-major: integers, doubles or bulk strings; a UINT64 above 2^63-1 is a bulk string.
void ReplyTensorValues(host::Context& ctx, const tensor::Tensor& tensor);

void ReplyTensorShape(host::Context& ctx, const tensor::Tensor& tensor);

// As AI.TENSORGET META BLOB.
void ReplyTensor(host::Context& ctx, const tensor::Tensor& tensor);

}  // namespace redoubt::ai
