#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace redoubt::infer {

using Tensors = std::vector<tensor::Tensor::Ptr>;

// The rows (dimension 0) that the inputs of one run have in common; none when they differ or one has no dimension:
// such a run cannot be joined with others.
std::optional<int64_t> BatchRows(std::span<const tensor::Tensor::Ptr> inputs);

// The same for runs of one model that can be joined: element types, and dimensions after the first.
std::string JoinKey(std::span<const tensor::Tensor::Ptr> inputs);

// The inputs of `runs` one behind the other on dimension 0; the runs must be joinable in pairs.
base::Result<Tensors> Concatenate(std::span<const Tensors* const> runs, base::MemoryResource& memory);

// The rows [begin, begin + rows) of each tensor. InvalidArgument, in RedisAI's words for `backend`, when one does not
// have `total_rows` rows.
base::Result<Tensors> SliceRows(const Tensors& outputs, int64_t begin, int64_t rows, int64_t total_rows,
                                std::string_view backend, base::MemoryResource& memory);

}  // namespace redoubt::infer
