#pragma once

#include <memory>

#include "base/memory.h"
#include "base/result.h"
#include "module/host/rdb.h"
#include "tensor/tensor.h"

namespace redoubt::ai {

// The byte form of AI_TENSOR in RDB files and DUMP payloads: docs/design/rdb-format.md.
inline constexpr int kTensorEncodingVersion = 5;

void SaveTensor(host::RdbWriter& out, const tensor::Tensor& tensor);

// Reads our version and RedisAI's 0 to 4. DataLoss or InvalidArgument for anything else; never trusts a size.
base::Result<std::shared_ptr<tensor::Tensor>> LoadTensor(host::RdbReader& in, int version,
                                                         base::MemoryResource& memory);

}  // namespace redoubt::ai
