#include "backends/tf/values.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "backends/common/results.h"

namespace redoubt::backends::tf {
namespace {

struct TypeRow {
  redoubt_dtype ours;
  TF_DataType tf;
  const char* name;
};

constexpr TypeRow kTypes[] = {
    {REDOUBT_FLOAT32, TF_FLOAT, "float"},  {REDOUBT_FLOAT64, TF_DOUBLE, "double"},
    {REDOUBT_FLOAT16, TF_HALF, "half"},    {REDOUBT_BFLOAT16, TF_BFLOAT16, "bfloat16"},
    {REDOUBT_INT8, TF_INT8, "int8"},       {REDOUBT_INT16, TF_INT16, "int16"},
    {REDOUBT_INT32, TF_INT32, "int32"},    {REDOUBT_INT64, TF_INT64, "int64"},
    {REDOUBT_UINT8, TF_UINT8, "uint8"},    {REDOUBT_UINT16, TF_UINT16, "uint16"},
    {REDOUBT_UINT32, TF_UINT32, "uint32"}, {REDOUBT_UINT64, TF_UINT64, "uint64"},
    {REDOUBT_BOOL, TF_BOOL, "bool"},       {REDOUBT_STRING, TF_STRING, "string"},
};

const TypeRow* Row(redoubt_dtype dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.ours == dtype) return &row;
  }
  return nullptr;
}

const TypeRow* Row(TF_DataType type) {
  for (const TypeRow& row : kTypes) {
    if (row.tf == type) return &row;
  }
  return nullptr;
}

TensorPtr Checked(TF_Tensor* tensor) {
  if (tensor == nullptr) throw std::invalid_argument("the bytes of an input do not fit its shape and type");
  return {tensor, &TF_DeleteTensor};
}

// Throws std::bad_alloc where TensorFlow found no room.
TensorPtr Allocate(TF_DataType type, const redoubt_view& view, size_t bytes) {
  TensorPtr tensor = Checked(TF_AllocateTensor(type, view.shape, view.ndim, bytes));
  if (bytes > 0 && TF_TensorData(tensor.get()) == nullptr) throw std::bad_alloc();
  return tensor;
}

// Ends the strings of a tensor that StringTensor made.
void FreeStrings(void* data, size_t size, void*) {
  auto* strings = static_cast<TF_TString*>(data);
  for (size_t i = 0; i < size / sizeof(TF_TString); ++i) TF_StringDealloc(&strings[i]);
  std::free(data);
}

TensorPtr StringTensor(const redoubt_view& view) {
  size_t count = 1;
  for (int32_t i = 0; i < view.ndim; ++i) count *= static_cast<size_t>(view.shape[i]);
  if (count == 0) return Allocate(TF_STRING, view, 0);
  const size_t alignment = TF_TensorDefaultAlignment();
  const size_t bytes = (count * sizeof(TF_TString) + alignment - 1) / alignment * alignment;
  auto* strings = static_cast<TF_TString*>(std::aligned_alloc(alignment, bytes));
  if (strings == nullptr) throw std::bad_alloc();
  for (size_t i = 0; i < count; ++i) {
    const char* text = static_cast<const char*>(view.data) + view.string_offsets[i];
    TF_StringInit(&strings[i]);
    TF_StringCopy(&strings[i], text, std::strlen(text));
  }
  return Checked(
      TF_NewTensor(TF_STRING, view.shape, view.ndim, strings, count * sizeof(TF_TString), &FreeStrings, nullptr));
}

using Owner = ResultOwner<TensorPtr>;

// Strings packed as the view wants them.
void PackStrings(const TF_Tensor* tensor, const std::string& name, Owner& owner) {
  const auto* strings = static_cast<const TF_TString*>(TF_TensorData(tensor));
  const size_t count = static_cast<size_t>(TF_TensorElementCount(tensor));
  for (size_t i = 0; i < count; ++i) {
    const std::string_view text(TF_StringGetDataPointer(&strings[i]), TF_StringGetSize(&strings[i]));
    AddString(text, name, &owner);
  }
}

}  // namespace

redoubt_dtype FromTf(TF_DataType type) {
  const TypeRow* row = Row(type);
  return row == nullptr ? static_cast<redoubt_dtype>(REDOUBT_NOT_A_TENSOR) : row->ours;
}

const char* TypeName(redoubt_dtype dtype) {
  const TypeRow* row = Row(dtype);
  return row == nullptr ? "other" : row->name;
}

const char* TypeName(TF_DataType type) { return TypeName(FromTf(type)); }

TensorPtr ToTensor(const redoubt_view& view, bool copy) {
  const TypeRow* row = Row(view.dtype);
  if (row == nullptr) throw std::invalid_argument("an input has an element type that TensorFlow does not know");
  if (row->tf == TF_STRING) return StringTensor(view);
  const bool aligned = reinterpret_cast<uintptr_t>(view.data) % TF_TensorDefaultAlignment() == 0;
  if (!copy && aligned && view.byte_size > 0) {
    return Checked(TF_NewTensor(
        row->tf, view.shape, view.ndim, const_cast<void*>(view.data), view.byte_size, [](void*, size_t, void*) {},
        nullptr));
  }
  TensorPtr tensor = Allocate(row->tf, view, view.byte_size);
  if (TF_TensorByteSize(tensor.get()) < view.byte_size) (void)Checked(nullptr);
  if (view.byte_size > 0) std::memcpy(TF_TensorData(tensor.get()), view.data, view.byte_size);
  return tensor;
}

redoubt_output ToOutput(TensorPtr tensor, const std::string& name, std::span<const redoubt_view> inputs) {
  const TypeRow* row = Row(TF_TensorType(tensor.get()));
  if (row == nullptr) throw std::invalid_argument(Untensorable(name, "its element type is not supported"));
  auto owner = std::make_unique<Owner>(TensorPtr{nullptr, &TF_DeleteTensor});
  for (int i = 0; i < TF_NumDims(tensor.get()); ++i) owner->shape.push_back(TF_Dim(tensor.get(), i));
  size_t size = TF_TensorByteSize(tensor.get());
  const void* data = TF_TensorData(tensor.get());
  if (row->tf == TF_STRING) {
    PackStrings(tensor.get(), name, *owner);
    data = owner->bytes.data();
    size = owner->bytes.size();
  } else if (LiesInAnInput(data, inputs)) {
    const auto* begin = static_cast<const char*>(data);
    owner->bytes.assign(begin, begin + size);
    data = owner->bytes.data();
  } else {
    owner->value = std::move(tensor);
  }
  return MakeOutput(std::move(owner), row->ours, size == 0 ? nullptr : data, size);
}

}  // namespace redoubt::backends::tf
