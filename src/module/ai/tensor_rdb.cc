#include "module/ai/tensor_rdb.h"

#include <fmt/core.h>

#include <optional>
#include <utility>
#include <vector>

namespace redoubt::ai {
namespace {

using tensor::DType;
using tensor::Tensor;
using TensorResult = base::Result<std::shared_ptr<Tensor>>;

// RedisAI wrote DLPack's type codes.
std::optional<DType> FromDlpack(uint64_t code, uint64_t bits) {
  struct Row {
    uint64_t code, bits;
    DType dtype;
  };
  static constexpr Row kRows[] = {
      {2, 32, DType::kFloat32}, {2, 64, DType::kFloat64}, {0, 8, DType::kInt8},   {0, 16, DType::kInt16},
      {0, 32, DType::kInt32},   {0, 64, DType::kInt64},   {1, 8, DType::kUInt8},  {1, 16, DType::kUInt16},
      {6, 8, DType::kBool},     {7, 8, DType::kString},   {7, 0, DType::kString}, {7, 64, DType::kString},
  };
  for (const Row& row : kRows) {
    if (row.code == code && row.bits == bits) return row.dtype;
  }
  return std::nullopt;
}

base::Result<DType> ReadDlpack(uint64_t code, uint64_t bits) {
  const std::optional<DType> dtype = FromDlpack(code, bits);
  if (!dtype) return base::DataLoss(fmt::format("unknown tensor type: code {} with {} bits", code, bits));
  return *dtype;
}

base::Result<std::vector<int64_t>> ReadShape(host::RdbReader& in, uint64_t ndim, bool is_signed) {
  std::vector<int64_t> shape;
  for (uint64_t i = 0; i < ndim; ++i) {
    if (is_signed) {
      ASSIGN_OR_RETURN(const int64_t dim, in.Signed());
      shape.push_back(dim);
    } else {
      ASSIGN_OR_RETURN(const uint64_t dim, in.Unsigned());
      shape.push_back(static_cast<int64_t>(dim));
    }
  }
  return shape;
}

TensorResult LoadOurs(host::RdbReader& in, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const uint64_t number, in.UnsignedUpTo(tensor::kDTypeCount - 1, "tensor type"));
  ASSIGN_OR_RETURN(const uint64_t ndim, in.UnsignedUpTo(tensor::kMaxRank, "tensor rank"));
  ASSIGN_OR_RETURN(std::vector<int64_t> shape, ReadShape(in, ndim, true));
  ASSIGN_OR_RETURN(const base::Buffer blob, in.Bytes());
  return Tensor::FromBlob(*tensor::DTypeFromNumber(static_cast<int>(number)), std::move(shape), blob.span(), memory);
}

TensorResult LoadRedisAi4(host::RdbReader& in, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const uint64_t code, in.Unsigned());
  ASSIGN_OR_RETURN(const uint64_t bits, in.Unsigned());
  ASSIGN_OR_RETURN(const DType dtype, ReadDlpack(code, bits));
  ASSIGN_OR_RETURN(const int64_t ndim, in.Signed());
  if (ndim < 0 || ndim > static_cast<int64_t>(tensor::kMaxRank)) return base::DataLoss("tensor rank out of range");
  ASSIGN_OR_RETURN(std::vector<int64_t> shape, ReadShape(in, static_cast<uint64_t>(ndim), true));
  ASSIGN_OR_RETURN(const base::Buffer blob, in.Bytes());
  ASSIGN_OR_RETURN(auto tensor, Tensor::FromBlob(dtype, std::move(shape), blob.span(), memory));
  // The offsets of strings follow; ours were found in the blob.
  for (size_t i = 0; i < tensor->string_offsets().size(); ++i) RETURN_IF_ERROR(in.Unsigned().status());
  return tensor;
}

TensorResult LoadRedisAi0To3(host::RdbReader& in, base::MemoryResource& memory) {
  RETURN_IF_ERROR(in.UnsignedUpTo(1, "tensor device").status());
  RETURN_IF_ERROR(in.Unsigned().status());  // device number
  ASSIGN_OR_RETURN(const uint64_t bits, in.Unsigned());
  ASSIGN_OR_RETURN(const uint64_t code, in.Unsigned());
  RETURN_IF_ERROR(in.UnsignedUpTo(1, "tensor lanes").status());
  ASSIGN_OR_RETURN(const DType dtype, ReadDlpack(code, bits));
  ASSIGN_OR_RETURN(const uint64_t ndim, in.UnsignedUpTo(tensor::kMaxRank, "tensor rank"));
  ASSIGN_OR_RETURN(std::vector<int64_t> shape, ReadShape(in, ndim, false));
  RETURN_IF_ERROR(ReadShape(in, ndim, false).status());  // strides of a packed tensor
  RETURN_IF_ERROR(in.UnsignedUpTo(0, "tensor byte offset").status());
  ASSIGN_OR_RETURN(const base::Buffer blob, in.Bytes());
  return Tensor::FromBlob(dtype, std::move(shape), blob.span(), memory);
}

}  // namespace

void SaveTensor(host::RdbWriter& out, const Tensor& tensor) {
  out.Unsigned(static_cast<uint64_t>(tensor.dtype()));
  out.Unsigned(tensor.shape().size());
  for (int64_t dim : tensor.shape()) out.Signed(dim);
  out.Bytes(tensor.data());
}

TensorResult LoadTensor(host::RdbReader& in, int version, base::MemoryResource& memory) {
  if (version == kTensorEncodingVersion) return LoadOurs(in, memory);
  if (version == 4) return LoadRedisAi4(in, memory);
  if (version >= 0 && version < 4) return LoadRedisAi0To3(in, memory);
  return base::DataLoss(fmt::format("tensor written by a newer version ({})", version));
}

}  // namespace redoubt::ai
