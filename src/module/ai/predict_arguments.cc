#include "module/ai/predict_arguments.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "module/ai/arguments.h"

namespace redoubt::ai {
namespace {

// KEYWORD count
base::Result<size_t> ReadCount(const host::Args& args, std::string_view keyword, size_t* at) {
  const std::optional<int64_t> count = args.Integer(*at + 1);
  if (!count || *count <= 0) return Wrong(fmt::format("{} needs a count of at least 1", keyword));
  *at += 2;
  if (std::cmp_greater(*count, args.size() - *at)) {
    return Wrong(fmt::format("{} {} asks for more than what follows", keyword, *count));
  }
  return static_cast<size_t>(*count);
}

// TENSOR type dim ... BLOB data; `*at` moves behind it.
base::Result<TensorArguments> ReadTensor(const host::Args& args, const TensorLimits& limits, size_t number,
                                         size_t* at) {
  TensorArguments tensor;
  const std::optional<tensor::DType> dtype = *at + 1 < args.size() ? tensor::ParseDType(args[*at + 1]) : std::nullopt;
  if (!dtype) return base::InvalidArgument("ERR invalid data type");
  tensor.dtype = *dtype;
  size_t word = *at + 2;
  for (; word < args.size() && !args.Is(word, "BLOB"); ++word) {
    const std::optional<int64_t> dim = args.Integer(word);
    if (!dim || *dim <= 0) return Wrong("invalid or negative value found in tensor shape");
    tensor.shape.push_back(*dim);
  }
  if (word + 1 >= args.size()) return Wrong(fmt::format("input {} has no BLOB after its type and dimensions", number));
  tensor.form = TensorArguments::Form::kBlob;
  tensor.data_at = word + 1;
  *at = word + 2;
  base::Result<size_t> bytes = tensor::ByteSize(tensor.dtype, tensor.shape);
  if (!bytes.ok()) return Wrong(bytes.status().message());
  tensor.byte_size = *bytes;
  ASSIGN_OR_RETURN(tensor.element_count, tensor::ElementCount(tensor.shape));
  RETURN_IF_ERROR(CheckTensorSize(tensor, limits));
  return tensor;
}

base::Result<PredictArguments::Input> ReadInput(const host::Args& args, const TensorLimits& limits, size_t number,
                                                size_t* at) {
  if (args.Is(*at, "KEY")) {
    if (*at + 1 >= args.size()) return Wrong(fmt::format("input {}: KEY is not followed by a key", number));
    const size_t word = *at + 1;
    *at += 2;
    return PredictArguments::Input(PredictArguments::FromKey{word});
  }
  if (!args.Is(*at, "TENSOR")) {
    return Wrong(fmt::format("input {} must begin with KEY or TENSOR", number));
  }
  ASSIGN_OR_RETURN(TensorArguments tensor, ReadTensor(args, limits, number, at));
  return PredictArguments::Input(std::move(tensor));
}

base::Status ReadOptions(const host::Args& args, size_t at, PredictArguments* parsed) {
  while (at < args.size()) {
    if (args.Is(at, "OUTPUTS") && parsed->outputs.empty()) {
      ASSIGN_OR_RETURN(const size_t count, ReadCount(args, "OUTPUTS", &at));
      for (size_t i = 0; i < count; ++i) parsed->outputs.emplace_back(args[at++]);
    } else if (args.Is(at, "TIMEOUT") && parsed->timeout_ms == 0) {
      RETURN_IF_ERROR(ReadTimeout(args, &at, &parsed->timeout_ms));
    } else {
      return Wrong(fmt::format("unexpected '{}'; after the inputs come OUTPUTS and TIMEOUT, each once", args[at]));
    }
  }
  return base::OkStatus();
}

}  // namespace

base::Result<PredictArguments> ParsePredict(const host::Args& args, const TensorLimits& limits) {
  PredictArguments parsed;
  size_t at = 2;
  if (!args.Is(at, "INPUTS")) return Wrong("INPUTS not specified");
  ASSIGN_OR_RETURN(const size_t count, ReadCount(args, "INPUTS", &at));
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(PredictArguments::Input input, ReadInput(args, limits, i + 1, &at));
    parsed.inputs.push_back(std::move(input));
  }
  RETURN_IF_ERROR(ReadOptions(args, at, &parsed));
  return parsed;
}

}  // namespace redoubt::ai
