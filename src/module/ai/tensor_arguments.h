#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "base/result.h"
#include "module/host/args.h"
#include "tensor/tensor.h"

namespace redoubt::ai {

// What AI.TENSORSET says after the key: a type, dimensions, and at most one of BLOB and VALUES.
struct TensorArguments {
  enum class Form { kZeros, kBlob, kValues };
  tensor::DType dtype = tensor::DType::kFloat32;
  std::vector<int64_t> shape;
  size_t element_count = 0;
  size_t byte_size = 0;
  Form form = Form::kZeros;
  size_t data_at = 0;  // the word after BLOB or VALUES
};

struct TensorLimits {
  size_t max_bytes;
  bool refuse_negative_integers;  // as RedisAI did
  bool allow_empty = false;       // dimensions of 0, which only results of models have
};

// InvalidArgument when the tensor is larger than the server allows.
base::Status CheckTensorSize(const TensorArguments& parsed, const TensorLimits& limits);

// `args` is the whole command. Errors carry RedisAI's texts, found in RedisAI's order.
base::Result<TensorArguments> ParseTensorArguments(const host::Args& args, const TensorLimits& limits);

// The tensor of the form kBlob, of these bytes; on any thread.
base::Result<std::shared_ptr<tensor::Tensor>> MakeBlobTensor(const TensorArguments& parsed, std::string_view blob,
                                                             base::MemoryResource& memory);

// The tensor that the parsed words describe.
base::Result<std::shared_ptr<tensor::Tensor>> MakeTensor(const host::Args& args, const TensorArguments& parsed,
                                                         const TensorLimits& limits, base::MemoryResource& memory);

}  // namespace redoubt::ai
