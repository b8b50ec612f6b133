#include "backends/onnx/model.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include "backends/onnx/model_scan.h"
#include "backends/onnx/values.h"

namespace redoubt::backends::onnx {
namespace {

// "CPU", "GPU:1". False where the library that was found offers no such device; its CPU builds offer none but the CPU.
bool ChooseDevice(std::string_view device, Ort::SessionOptions* options) {
  if (device.starts_with("CPU")) return true;
  const std::vector<std::string> providers = Ort::GetAvailableProviders();
  if (std::find(providers.begin(), providers.end(), "CUDAExecutionProvider") == providers.end()) return false;
  OrtCUDAProviderOptions cuda{};
  if (device.size() > 4) std::from_chars(device.data() + 4, device.data() + device.size(), cuda.device_id);
  options->AppendExecutionProvider_CUDA(cuda);
  return true;
}

}  // namespace

void Model::IoTable::Add(std::string name, const Ort::TypeInfo& info) {
  redoubt_io row{};
  row.dtype = REDOUBT_NOT_A_TENSOR;
  row.ndim = -1;
  std::vector<int64_t> shape;
  if (info.GetONNXType() == ONNX_TYPE_TENSOR) {
    const auto tensor = info.GetTensorTypeAndShapeInfo();
    row.dtype = FromOnnx(tensor.GetElementType());
    shape = tensor.GetShape();
    row.ndim = static_cast<int32_t>(shape.size());
  }
  names.push_back(std::move(name));
  type_texts.push_back(TypeText(info));
  shapes.push_back(std::move(shape));
  rows.push_back(row);
}

void Model::IoTable::Finish() {
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i].name = names[i].c_str();
    rows[i].type_text = type_texts[i].c_str();
    rows[i].shape = shapes[i].data();
    name_pointers.push_back(names[i].c_str());
  }
}

Model::Model(Runtime& runtime, Ort::Session session, uint64_t weight_bytes)
    : runtime_(runtime), session_(std::move(session)), weight_bytes_(weight_bytes) {
  Ort::AllocatorWithDefaultOptions allocator;
  for (size_t i = 0; i < session_.GetInputCount(); ++i) {
    inputs_.Add(session_.GetInputNameAllocated(i, allocator).get(), session_.GetInputTypeInfo(i));
  }
  for (size_t i = 0; i < session_.GetOutputCount(); ++i) {
    outputs_.Add(session_.GetOutputNameAllocated(i, allocator).get(), session_.GetOutputTypeInfo(i));
  }
  inputs_.Finish();
  outputs_.Finish();
  runtime_.CountWeights(static_cast<int64_t>(weight_bytes_));  // last: the destructor takes it back
}

int32_t Model::Load(const redoubt_model_source& source, Runtime& runtime, std::unique_ptr<Model>* model,
                    redoubt_error* error) {
  Ort::SessionOptions options = runtime.SessionOptions();
  if (!ChooseDevice(source.device, &options)) {
    return Fail(error, REDOUBT_UNSUPPORTED, "ERR GPU requested but ONNX couldn't find CUDA");
  }
  const std::span<const uint8_t> blob(static_cast<const uint8_t*>(source.blob), source.blob_size);
  if (HasExternalData(blob)) {
    return Fail(error, REDOUBT_INVALID_MODEL,
                "Initializer tensors with external data is not allowed. Store the model with its weights inside.");
  }
  const uint64_t weight_bytes = WeightBytes(blob);
  if (!runtime.HasRoom(weight_bytes)) throw std::bad_alloc();
  int64_t& balance = Runtime::ThreadBalance();
  balance = 0;
  Ort::Session session(runtime.env(), source.blob, source.blob_size, options);
  std::unique_ptr<Model> loaded(new Model(runtime, std::move(session), weight_bytes));
  loaded->session_bytes_ = balance > 0 ? static_cast<uint64_t>(balance) : 0;
  loaded->opset_ = Opset(blob);
  *model = std::move(loaded);
  return REDOUBT_OK;
}

void Model::Run(const Ort::RunOptions& options, const redoubt_view* inputs, redoubt_output* outputs) {
  const size_t input_count = inputs_.rows.size();
  const size_t output_count = outputs_.rows.size();
  std::vector<Ort::Value> in;
  in.reserve(input_count);
  for (size_t i = 0; i < input_count; ++i) in.push_back(ToValue(inputs[i], runtime_));
  std::vector<Ort::Value> out = session_.Run(options, inputs_.name_pointers.data(), in.data(), input_count,
                                             outputs_.name_pointers.data(), output_count);
  // All or nothing: what was converted is given back when a later one has no tensor form.
  size_t done = 0;
  try {
    for (; done < output_count; ++done) {
      outputs[done] = ToOutput(std::move(out[done]), outputs_.names[done], {inputs, input_count}, runtime_);
    }
  } catch (...) {
    for (size_t i = 0; i < done; ++i) outputs[i].release(outputs[i].owner);
    throw;
  }
}

}  // namespace redoubt::backends::onnx
