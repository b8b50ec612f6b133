#pragma once

#include "base/result.h"
#include "module/host/args.h"
#include "module/host/context.h"
#include "tensor/tensor.h"

namespace redoubt::ai {

// Which parts of a tensor AI.TENSORGET asks for.
struct TensorParts {
  bool meta = false;
  bool blob = false;
  bool values = false;
};

// `args` is the whole command: key, then [META] [BLOB | VALUES]; nothing stands for META BLOB.
base::Result<TensorParts> ParseTensorParts(const host::Args& args);

// With META an array of names and values; else the blob, or the array of the values, alone.
void ReplyTensor(host::Context& ctx, const tensor::Tensor& tensor, const TensorParts& parts = {true, true, false});

// The elements one by one, row-major: integers, doubles or bulk strings; a UINT64 above 2^63-1 is a bulk string.
void ReplyTensorValues(host::Context& ctx, const tensor::Tensor& tensor);

void ReplyTensorShape(host::Context& ctx, const tensor::Tensor& tensor);

}  // namespace redoubt::ai
