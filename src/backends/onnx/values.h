#pragma once

#include <onnxruntime_cxx_api.h>

#include <span>
#include <string>

#include "backends/onnx/runtime.h"
#include "infer/backend_api.h"

namespace redoubt::backends::onnx {

redoubt_dtype FromOnnx(ONNXTensorElementDataType type);
// ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED for a number we do not know.
ONNXTensorElementDataType ToOnnx(redoubt_dtype dtype);

// "tensor(float)", "seq(map(int64,tensor(float)))": the words of the ONNX specification.
std::string TypeText(const Ort::TypeInfo& info);

// A value over the view's own bytes (strings are copied). Throws Ort::Exception.
Ort::Value ToValue(const redoubt_view& view, Runtime& runtime);

// Moves a result out without copying its bytes where it owns them. Sequences and maps of equal parts become one tensor
// (see docs/commands/ai.modelexecute.md); what has no tensor form throws std::invalid_argument. `inputs` are those of
// the run: a result that lies in one of them (a graph that passes its input through) is copied.
redoubt_output ToOutput(Ort::Value value, const std::string& name, std::span<const redoubt_view> inputs,
                        Runtime& runtime);

}  // namespace redoubt::backends::onnx
