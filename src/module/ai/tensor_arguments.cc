#include "module/ai/tensor_arguments.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "tensor/float16.h"

namespace redoubt::ai {
namespace {

using tensor::DType;
using tensor::Tensor;
using Form = TensorArguments::Form;

base::Status InvalidValue() { return base::InvalidArgument("ERR invalid value"); }

base::Status ReadShape(const host::Args& args, const TensorLimits& limits, TensorArguments* parsed) {
  const int64_t least = limits.allow_empty ? 0 : 1;
  for (size_t i = 3; i < args.size(); ++i) {
    if (args.Is(i, "BLOB") || args.Is(i, "VALUES")) {
      parsed->form = args.Is(i, "BLOB") ? Form::kBlob : Form::kValues;
      parsed->data_at = i + 1;
      return base::OkStatus();
    }
    const std::optional<int64_t> dim = args.Integer(i);
    if (!dim || *dim < least) return base::InvalidArgument("ERR invalid or negative value found in tensor shape");
    parsed->shape.push_back(*dim);
  }
  return base::OkStatus();
}

base::Status CheckDataWords(const host::Args& args, const TensorArguments& parsed) {
  const size_t given = args.size() - parsed.data_at;
  if (parsed.form == Form::kBlob && given != 1) {
    return base::InvalidArgument(
        "ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command");
  }
  if (parsed.form == Form::kValues && given != parsed.element_count) {
    return base::InvalidArgument("ERR wrong number of values was given in 'AI.TENSORSET' command");
  }
  return base::OkStatus();
}

// Stores one number of the words into an element; false when it does not fit.
template <class T>
bool StoreInteger(const host::Args& args, size_t word, std::byte* out) {
  T value{};
  if constexpr (std::is_same_v<T, uint64_t>) {
    unsigned long long number = 0;
    if (RedisModule_StringToULongLong(args.raw(word), &number) != REDISMODULE_OK) return false;
    value = number;
  } else {
    const std::optional<int64_t> number = args.Integer(word);
    if (!number || std::cmp_less(*number, std::numeric_limits<T>::min()) ||
        std::cmp_greater(*number, std::numeric_limits<T>::max())) {
      return false;
    }
    value = static_cast<T>(*number);
  }
  std::memcpy(out, &value, sizeof value);
  return true;
}

bool StoreFloat(const host::Args& args, size_t word, DType dtype, std::byte* out) {
  const std::optional<double> number = args.Double(word);
  if (!number || std::isnan(*number)) return false;
  if (dtype == DType::kFloat64) {
    std::memcpy(out, &*number, sizeof *number);
    return true;
  }
  const auto narrow = static_cast<float>(*number);
  if (std::isinf(narrow) && !std::isinf(*number)) return false;
  if (dtype == DType::kFloat32) {
    std::memcpy(out, &narrow, sizeof narrow);
    return true;
  }
  const bool half = dtype == DType::kFloat16;
  const uint16_t bits = half ? tensor::FloatToHalf(narrow) : tensor::FloatToBFloat16(narrow);
  const float back = half ? tensor::HalfToFloat(bits) : tensor::BFloat16ToFloat(bits);
  if (std::isinf(back) && !std::isinf(narrow)) return false;
  std::memcpy(out, &bits, sizeof bits);
  return true;
}

bool StoreBool(const host::Args& args, size_t word, std::byte* out) {
  const std::optional<int64_t> number = args.Integer(word);
  if (!number || (*number != 0 && *number != 1)) return false;
  *out = static_cast<std::byte>(*number);
  return true;
}

bool StoreValue(const host::Args& args, size_t word, DType dtype, std::byte* out) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kFloat64:
    case DType::kFloat16:
    case DType::kBFloat16:
      return StoreFloat(args, word, dtype, out);
    case DType::kInt8:
      return StoreInteger<int8_t>(args, word, out);
    case DType::kInt16:
      return StoreInteger<int16_t>(args, word, out);
    case DType::kInt32:
      return StoreInteger<int32_t>(args, word, out);
    case DType::kInt64:
      return StoreInteger<int64_t>(args, word, out);
    case DType::kUInt8:
      return StoreInteger<uint8_t>(args, word, out);
    case DType::kUInt16:
      return StoreInteger<uint16_t>(args, word, out);
    case DType::kUInt32:
      return StoreInteger<uint32_t>(args, word, out);
    case DType::kUInt64:
      return StoreInteger<uint64_t>(args, word, out);
    case DType::kBool:
      return StoreBool(args, word, out);
    case DType::kString:
      break;
  }
  return false;
}

bool IsSignedInteger(DType dtype) {
  return dtype == DType::kInt8 || dtype == DType::kInt16 || dtype == DType::kInt32 || dtype == DType::kInt64;
}

base::Result<std::shared_ptr<Tensor>> FromValues(const host::Args& args, const TensorArguments& parsed,
                                                 const TensorLimits& limits, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(auto tensor, Tensor::CreateUninitialized(parsed.dtype, parsed.shape, memory));
  std::byte* out = tensor->mutable_data();
  const bool refuse_negative = limits.refuse_negative_integers && IsSignedInteger(parsed.dtype);
  for (size_t i = 0; i < parsed.element_count; ++i, out += ElementSize(parsed.dtype)) {
    const size_t word = parsed.data_at + i;
    if (refuse_negative && args[word].starts_with('-')) return InvalidValue();
    if (!StoreValue(args, word, parsed.dtype, out)) return InvalidValue();
  }
  return tensor;
}

base::Result<std::shared_ptr<Tensor>> FromStringValues(const host::Args& args, const TensorArguments& parsed,
                                                       base::MemoryResource& memory) {
  std::vector<std::string_view> values;
  values.reserve(parsed.element_count);
  for (size_t i = 0; i < parsed.element_count; ++i) {
    std::string_view value = args[parsed.data_at + i];
    if (value.ends_with('\0')) value.remove_suffix(1);  // a C string with its end is welcome
    values.push_back(value);
  }
  return Tensor::FromStrings(parsed.shape, values, memory);
}

// The tensor library's texts are those of the command, less the code word.
base::Result<std::shared_ptr<Tensor>> WithCode(base::Result<std::shared_ptr<Tensor>> tensor) {
  if (tensor.ok() || tensor.status().code() != base::StatusCode::kInvalidArgument) return tensor;
  const std::string message = tensor.status().message();
  return base::InvalidArgument(message.starts_with("ERR ") ? message : "ERR " + message);
}

}  // namespace

base::Status CheckTensorSize(const TensorArguments& parsed, const TensorLimits& limits) {
  if (parsed.byte_size <= limits.max_bytes && parsed.element_count <= limits.max_bytes) return base::OkStatus();
  return base::InvalidArgument(
      fmt::format("ERR a tensor of {} bytes is above ai.tensor-max-bytes ({})", parsed.byte_size, limits.max_bytes));
}

base::Result<TensorArguments> ParseTensorArguments(const host::Args& args, const TensorLimits& limits) {
  TensorArguments parsed;
  const std::optional<DType> dtype = tensor::ParseDType(args[2]);
  if (!dtype) return base::InvalidArgument("ERR invalid data type");
  parsed.dtype = *dtype;
  RETURN_IF_ERROR(ReadShape(args, limits, &parsed));
  base::Result<size_t> bytes = tensor::ByteSize(parsed.dtype, parsed.shape);
  if (!bytes.ok()) return base::InvalidArgument("ERR " + bytes.status().message());
  parsed.byte_size = *bytes;
  ASSIGN_OR_RETURN(parsed.element_count, tensor::ElementCount(parsed.shape));
  RETURN_IF_ERROR(CheckDataWords(args, parsed));
  RETURN_IF_ERROR(CheckTensorSize(parsed, limits));
  return parsed;
}

base::Result<std::shared_ptr<Tensor>> MakeBlobTensor(const TensorArguments& parsed, std::string_view blob,
                                                     base::MemoryResource& memory) {
  return WithCode(
      Tensor::FromBlob(parsed.dtype, parsed.shape, std::as_bytes(std::span(blob.data(), blob.size())), memory));
}

base::Result<std::shared_ptr<Tensor>> MakeTensor(const host::Args& args, const TensorArguments& parsed,
                                                 const TensorLimits& limits, base::MemoryResource& memory) {
  switch (parsed.form) {
    case Form::kZeros:
      return WithCode(Tensor::Create(parsed.dtype, parsed.shape, memory));
    case Form::kBlob:
      return MakeBlobTensor(parsed, args[parsed.data_at], memory);
    case Form::kValues:
      break;
  }
  if (parsed.dtype == DType::kString) return WithCode(FromStringValues(args, parsed, memory));
  return FromValues(args, parsed, limits, memory);
}

}  // namespace redoubt::ai
