#include "module/ai/tensor_reply.h"

#include <limits>
#include <string>

#include "tensor/float16.h"

namespace redoubt::ai {
namespace {

using tensor::DType;
using tensor::Tensor;

template <class T>
void ReplyIntegers(host::Context& ctx, const Tensor& tensor) {
  for (T value : tensor.As<T>()) {
    if constexpr (std::is_same_v<T, uint64_t>) {
      if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        ctx.ReplyBulk(std::to_string(value));
        continue;
      }
    }
    ctx.ReplyInteger(static_cast<int64_t>(value));
  }
}

template <class T>
void ReplyFloats(host::Context& ctx, const Tensor& tensor) {
  for (T value : tensor.As<T>()) ctx.ReplyDouble(static_cast<double>(value));
}

void ReplyData(host::Context& ctx, const Tensor& tensor, const TensorParts& parts) {
  if (parts.blob) {
    ctx.ReplyBytes(tensor.data());
  } else {
    ReplyTensorValues(ctx, tensor);
  }
}

}  // namespace

void ReplyTensorValues(host::Context& ctx, const Tensor& tensor) {
  ctx.ReplyArray(tensor.element_count());
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return ReplyFloats<float>(ctx, tensor);
    case DType::kFloat64:
      return ReplyFloats<double>(ctx, tensor);
    case DType::kFloat16:
      for (uint16_t bits : tensor.As<uint16_t>()) ctx.ReplyDouble(static_cast<double>(tensor::HalfToFloat(bits)));
      return;
    case DType::kBFloat16:
      for (uint16_t bits : tensor.As<uint16_t>()) ctx.ReplyDouble(static_cast<double>(tensor::BFloat16ToFloat(bits)));
      return;
    case DType::kInt8:
      return ReplyIntegers<int8_t>(ctx, tensor);
    case DType::kInt16:
      return ReplyIntegers<int16_t>(ctx, tensor);
    case DType::kInt32:
      return ReplyIntegers<int32_t>(ctx, tensor);
    case DType::kInt64:
      return ReplyIntegers<int64_t>(ctx, tensor);
    case DType::kUInt8:
    case DType::kBool:
      return ReplyIntegers<uint8_t>(ctx, tensor);
    case DType::kUInt16:
      return ReplyIntegers<uint16_t>(ctx, tensor);
    case DType::kUInt32:
      return ReplyIntegers<uint32_t>(ctx, tensor);
    case DType::kUInt64:
      return ReplyIntegers<uint64_t>(ctx, tensor);
    case DType::kString:
      for (size_t i = 0; i < tensor.element_count(); ++i) ctx.ReplyBulk(tensor.StringAt(i));
      return;
  }
}

void ReplyTensorShape(host::Context& ctx, const Tensor& tensor) {
  ctx.ReplyArray(tensor.shape().size());
  for (int64_t dim : tensor.shape()) ctx.ReplyInteger(dim);
}

base::Result<TensorParts> ParseTensorParts(const host::Args& args) {
  TensorParts parts;
  for (size_t i = 2; i < args.size(); ++i) {
    if (args.Is(i, "META")) {
      parts.meta = true;
    } else if (args.Is(i, "BLOB")) {
      parts.blob = true;
    } else if (args.Is(i, "VALUES")) {
      parts.values = true;
    } else {
      return base::InvalidArgument("ERR unsupported data format");
    }
  }
  if (parts.blob && parts.values) return base::InvalidArgument("ERR both BLOB and VALUES specified");
  if (args.size() == 2) parts = {.meta = true, .blob = true, .values = false};
  return parts;
}

void ReplyTensor(host::Context& ctx, const Tensor& tensor, const TensorParts& parts) {
  if (!parts.meta) return ReplyData(ctx, tensor, parts);
  const bool data = parts.blob || parts.values;
  ctx.ReplyArray(data ? 6 : 4);
  ctx.ReplyBulk("dtype");
  ctx.ReplyBulk(DTypeName(tensor.dtype()));
  ctx.ReplyBulk("shape");
  ReplyTensorShape(ctx, tensor);
  if (data) {
    ctx.ReplyBulk(parts.blob ? "blob" : "values");
    ReplyData(ctx, tensor, parts);
  }
}

}  // namespace redoubt::ai
