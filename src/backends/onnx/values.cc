#include "backends/onnx/values.h"

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "backends/common/results.h"

namespace redoubt::backends::onnx {
namespace {

struct TypeRow {
  redoubt_dtype ours;
  ONNXTensorElementDataType onnx;
  const char* name;
  size_t size;
};

constexpr TypeRow kTypes[] = {
    {REDOUBT_FLOAT32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "float", 4},
    {REDOUBT_FLOAT64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, "double", 8},
    {REDOUBT_FLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, "float16", 2},
    {REDOUBT_BFLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, "bfloat16", 2},
    {REDOUBT_INT8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, "int8", 1},
    {REDOUBT_INT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, "int16", 2},
    {REDOUBT_INT32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "int32", 4},
    {REDOUBT_INT64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "int64", 8},
    {REDOUBT_UINT8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, "uint8", 1},
    {REDOUBT_UINT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, "uint16", 2},
    {REDOUBT_UINT32, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, "uint32", 4},
    {REDOUBT_UINT64, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, "uint64", 8},
    {REDOUBT_BOOL, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, "bool", 1},
    {REDOUBT_STRING, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, "string", 0},
};

const TypeRow* Row(ONNXTensorElementDataType type) {
  for (const TypeRow& row : kTypes) {
    if (row.onnx == type) return &row;
  }
  return nullptr;
}

using Owner = ResultOwner<Ort::Value>;

// Strings packed as the view wants them.
void PackStrings(const Ort::Value& value, const std::string& name, Owner& owner) {
  const size_t count = value.GetTensorTypeAndShapeInfo().GetElementCount();
  const size_t length = count == 0 ? 0 : value.GetStringTensorDataLength();
  std::string content(length, '\0');
  std::vector<size_t> starts(count);
  if (count > 0) value.GetStringTensorContent(content.data(), length, starts.data(), count);
  for (size_t i = 0; i < count; ++i) {
    const size_t end = i + 1 < count ? starts[i + 1] : length;
    const std::string_view text(content.data() + starts[i], end - starts[i]);
    AddString(text, name, &owner);
  }
}

redoubt_output TensorOutput(Ort::Value value, const std::string& name, std::span<const redoubt_view> inputs) {
  auto owner = std::make_unique<Owner>(Ort::Value{nullptr});
  const auto info = value.GetTensorTypeAndShapeInfo();
  const TypeRow* row = Row(info.GetElementType());
  if (row == nullptr) throw std::invalid_argument(Untensorable(name, "its element type is not supported"));
  owner->shape = info.GetShape();
  if (row->ours == REDOUBT_STRING) {
    PackStrings(value, name, *owner);
    const void* data = owner->bytes.data();
    const size_t size = owner->bytes.size();
    return MakeOutput(std::move(owner), row->ours, data, size);
  }
  const size_t size = info.GetElementCount() * row->size;
  const void* data = size == 0 ? nullptr : value.GetTensorRawData();
  if (LiesInAnInput(data, inputs)) {
    const auto* begin = static_cast<const char*>(data);
    owner->bytes.assign(begin, begin + size);
    data = owner->bytes.data();
  } else {
    owner->value = std::move(value);
  }
  return MakeOutput(std::move(owner), row->ours, data, size);
}

// The tensor part of a sequence element: the tensor itself, or the values of a map (its keys are sorted by the runtime,
// as in the classifiers' ZipMap: one column per class).
Ort::Value TensorPart(const Ort::Value& element, const std::string& name, Runtime& runtime) {
  const ONNXType type = element.GetTypeInfo().GetONNXType();
  if (type == ONNX_TYPE_MAP) return element.GetValue(1, runtime.allocator());
  throw std::invalid_argument(Untensorable(name, "it is a sequence of something other than tensors or maps"));
}

// Stacks equal parts on a new first dimension.
redoubt_output SequenceOutput(const Ort::Value& value, const std::string& name, Runtime& runtime) {
  const size_t count = value.GetCount();
  if (count == 0) throw std::invalid_argument(Untensorable(name, "it is an empty sequence"));
  auto owner = std::make_unique<Owner>(Ort::Value{nullptr});
  const TypeRow* row = nullptr;
  std::vector<int64_t> part_shape;
  for (size_t i = 0; i < count; ++i) {
    Ort::Value part = value.GetValue(static_cast<int>(i), runtime.allocator());
    if (!part.IsTensor()) part = TensorPart(part, name, runtime);
    const auto info = part.GetTensorTypeAndShapeInfo();
    if (i == 0) {
      row = Row(info.GetElementType());
      part_shape = info.GetShape();
      if (row == nullptr || row->ours == REDOUBT_STRING) {
        throw std::invalid_argument(Untensorable(name, "a sequence of this element type cannot be stacked"));
      }
    } else if (Row(info.GetElementType()) != row || info.GetShape() != part_shape) {
      throw std::invalid_argument(Untensorable(name, "the parts of the sequence differ in type or shape"));
    }
    const auto* begin = static_cast<const char*>(part.GetTensorRawData());
    owner->bytes.insert(owner->bytes.end(), begin, begin + info.GetElementCount() * row->size);
  }
  owner->shape.push_back(static_cast<int64_t>(count));
  owner->shape.insert(owner->shape.end(), part_shape.begin(), part_shape.end());
  const void* data = owner->bytes.data();
  const size_t size = owner->bytes.size();
  return MakeOutput(std::move(owner), row->ours, data, size);
}

}  // namespace

redoubt_dtype FromOnnx(ONNXTensorElementDataType type) {
  const TypeRow* row = Row(type);
  return row == nullptr ? static_cast<redoubt_dtype>(REDOUBT_NOT_A_TENSOR) : row->ours;
}

ONNXTensorElementDataType ToOnnx(redoubt_dtype dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.ours == dtype) return row.onnx;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

std::string TypeText(const Ort::TypeInfo& info) {
  switch (info.GetONNXType()) {
    case ONNX_TYPE_TENSOR:
    case ONNX_TYPE_SPARSETENSOR: {
      const TypeRow* row = Row(info.GetTensorTypeAndShapeInfo().GetElementType());
      return std::string(info.GetONNXType() == ONNX_TYPE_TENSOR ? "tensor(" : "sparse_tensor(") +
             (row == nullptr ? "other" : row->name) + ")";
    }
    case ONNX_TYPE_SEQUENCE:
      return "seq(" + TypeText(info.GetSequenceTypeInfo().GetSequenceElementType()) + ")";
    case ONNX_TYPE_MAP: {
      const auto map = info.GetMapTypeInfo();
      const TypeRow* key = Row(map.GetMapKeyType());
      return std::string("map(") + (key == nullptr ? "other" : key->name) + "," + TypeText(map.GetMapValueType()) + ")";
    }
    case ONNX_TYPE_OPTIONAL:
      return "optional";
    default:
      return "other";
  }
}

Ort::Value ToValue(const redoubt_view& view, Runtime& runtime) {
  const size_t ndim = static_cast<size_t>(view.ndim);
  if (view.dtype != REDOUBT_STRING) {
    return Ort::Value::CreateTensor(runtime.cpu(), const_cast<void*>(view.data), view.byte_size, view.shape, ndim,
                                    ToOnnx(view.dtype));
  }
  Ort::Value value =
      Ort::Value::CreateTensor(runtime.allocator(), view.shape, ndim, ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  const size_t count = value.GetTensorTypeAndShapeInfo().GetElementCount();
  for (size_t i = 0; i < count; ++i) {
    value.FillStringTensorElement(static_cast<const char*>(view.data) + view.string_offsets[i], i);
  }
  return value;
}

redoubt_output ToOutput(Ort::Value value, const std::string& name, std::span<const redoubt_view> inputs,
                        Runtime& runtime) {
  if (!value.HasValue()) throw std::invalid_argument(Untensorable(name, "it is an empty optional"));
  if (value.IsTensor()) return TensorOutput(std::move(value), name, inputs);
  switch (value.GetTypeInfo().GetONNXType()) {
    case ONNX_TYPE_SEQUENCE:
      return SequenceOutput(value, name, runtime);
    case ONNX_TYPE_MAP:
      return TensorOutput(value.GetValue(1, runtime.allocator()), name, inputs);
    default:
      throw std::invalid_argument(Untensorable(name, "it is neither a tensor nor a sequence nor a map"));
  }
}

}  // namespace redoubt::backends::onnx
