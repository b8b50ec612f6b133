#include "backends/torch/values.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/scalar_tensor.h>

#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

namespace redoubt::backends::torch {
namespace {

struct TypeRow {
  redoubt_dtype ours;
  at::ScalarType torch;
};

constexpr TypeRow kTypes[] = {
    {REDOUBT_FLOAT32, at::ScalarType::Float}, {REDOUBT_FLOAT64, at::ScalarType::Double},
    {REDOUBT_FLOAT16, at::ScalarType::Half},  {REDOUBT_BFLOAT16, at::ScalarType::BFloat16},
    {REDOUBT_INT8, at::ScalarType::Char},     {REDOUBT_INT16, at::ScalarType::Short},
    {REDOUBT_INT32, at::ScalarType::Int},     {REDOUBT_INT64, at::ScalarType::Long},
    {REDOUBT_UINT8, at::ScalarType::Byte},    {REDOUBT_UINT16, at::ScalarType::UInt16},
    {REDOUBT_UINT32, at::ScalarType::UInt32}, {REDOUBT_UINT64, at::ScalarType::UInt64},
    {REDOUBT_BOOL, at::ScalarType::Bool},
};

at::ScalarType ToTorch(redoubt_dtype dtype) {
  for (const TypeRow& row : kTypes) {
    if (row.ours == dtype) return row.torch;
  }
  throw std::invalid_argument(dtype == REDOUBT_STRING
                                  ? "TORCH has no tensors of strings: give the text as bytes (UINT8)"
                                  : "TORCH has no tensors of this element type");
}

at::IntArrayRef ShapeOf(const redoubt_view& view) { return {view.shape, static_cast<size_t>(view.ndim)}; }

// Over bytes that are only lent.
at::Tensor Over(const redoubt_view& view) {
  return at::from_blob(const_cast<void*>(view.data), ShapeOf(view), at::TensorOptions(ToTorch(view.dtype)));
}

[[noreturn]] void NoTensorForm(const std::string& what) {
  throw std::invalid_argument("the result has no tensor form: " + what);
}

// A plain tensor whose memory is its own, whatever `tensor` was.
at::Tensor Own(at::Tensor tensor) {
  if (!tensor.defined()) NoTensorForm("a tensor of it is not defined");
  if (tensor.layout() != at::kStrided || !tensor.device().is_cpu()) NoTensorForm("a sparse tensor");
  if (FromTorch(tensor.scalar_type()) == REDOUBT_NOT_A_TENSOR) {
    NoTensorForm(std::string("elements of type ") + c10::toString(tensor.scalar_type()));
  }
  const bool exclusive = tensor.use_count() == 1 && tensor.storage().use_count() == 1;
  // A small part of something large would keep all of it.
  const bool most_of_it = tensor.storage().nbytes() <= 2 * tensor.nbytes();
  if (tensor.is_neg()) return tensor.resolve_neg().contiguous();
  if (!tensor.is_contiguous()) return tensor.contiguous();
  return exclusive && most_of_it ? tensor : tensor.clone();
}

void FlattenInto(const c10::IValue& value, int depth, std::vector<at::Tensor>* tensors) {
  constexpr int kMaxDepth = 64;
  if (depth > kMaxDepth) NoTensorForm("it is nested too deeply");
  if (value.isTensor()) {
    tensors->push_back(value.toTensor());
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements()) FlattenInto(element, depth + 1, tensors);
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef()) FlattenInto(element, depth + 1, tensors);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) FlattenInto(entry.value(), depth + 1, tensors);
  } else if (value.isInt()) {
    tensors->push_back(at::scalar_tensor(value.toInt(), at::kLong));
  } else if (value.isDouble()) {
    tensors->push_back(at::scalar_tensor(value.toDouble(), at::kDouble));
  } else if (value.isBool()) {
    tensors->push_back(at::scalar_tensor(value.toBool(), at::kBool));
  } else if (!value.isNone() || depth > 0) {
    NoTensorForm("a value of type " + value.type()->str());
  }
}

}  // namespace

redoubt_dtype FromTorch(at::ScalarType type) {
  for (const TypeRow& row : kTypes) {
    if (row.torch == type) return row.ours;
  }
  return REDOUBT_NOT_A_TENSOR;
}

at::Tensor CopyOf(const redoubt_view& view) {
  at::Tensor copy = at::empty(ShapeOf(view), at::TensorOptions(ToTorch(view.dtype)));
  if (view.byte_size > 0) std::memcpy(copy.mutable_data_ptr(), view.data, view.byte_size);
  return copy;
}

at::Tensor BorrowedInputs::Borrow(const redoubt_view& view) {
  at::Tensor tensor = Over(view);
  storages_.push_back(tensor.storage());
  return tensor;
}

BorrowedInputs::~BorrowedInputs() {
  for (c10::Storage& storage : storages_) {
    if (storage.use_count() == 1) continue;
    const size_t bytes = storage.nbytes();
    at::DataPtr own = c10::GetAllocator(at::kCPU)->allocate(bytes);
    if (bytes > 0) std::memcpy(own.get(), storage.data(), bytes);
    storage.set_data_ptr_noswap(std::move(own));
  }
}

std::vector<at::Tensor> Flatten(c10::IValue result) {
  std::vector<at::Tensor> tensors;
  FlattenInto(result, 0, &tensors);
  return tensors;
}

void ToOutputs(std::vector<at::Tensor> tensors, redoubt_output* outputs) {
  std::vector<std::unique_ptr<at::Tensor>> owners;
  for (at::Tensor& tensor : tensors) {
    owners.push_back(std::make_unique<at::Tensor>(Own(std::move(tensor))));
  }
  for (size_t i = 0; i < owners.size(); ++i) {
    const at::Tensor& tensor = *owners[i];
    outputs[i] = {};
    outputs[i].view.data = tensor.const_data_ptr();
    outputs[i].view.byte_size = tensor.nbytes();
    outputs[i].view.shape = tensor.sizes().data();
    outputs[i].view.ndim = static_cast<int32_t>(tensor.dim());
    outputs[i].view.dtype = FromTorch(tensor.scalar_type());
    outputs[i].owner = owners[i].release();
    outputs[i].release = [](void* owner) { delete static_cast<at::Tensor*>(owner); };
  }
}

redoubt_view ViewOf(const at::Tensor& tensor, std::vector<at::Tensor>* held) {
  if (!tensor.defined() || tensor.layout() != at::kStrided || FromTorch(tensor.scalar_type()) == REDOUBT_NOT_A_TENSOR) {
    throw std::invalid_argument("a tensor of this kind cannot be an input of a model");
  }
  const at::Tensor& plain = held->emplace_back(tensor.resolve_neg().contiguous());
  redoubt_view view{};
  view.data = plain.const_data_ptr();
  view.byte_size = plain.nbytes();
  view.shape = plain.sizes().data();
  view.ndim = static_cast<int32_t>(plain.dim());
  view.dtype = FromTorch(plain.scalar_type());
  return view;
}

at::Tensor Adopt(const redoubt_output& output) {
  if (output.release == nullptr) return CopyOf(output.view);
  const auto release = [owner = output.owner, release = output.release](void*) { release(owner); };
  at::ScalarType type{};
  try {
    type = ToTorch(output.view.dtype);
  } catch (...) {
    release(nullptr);
    throw;
  }
  return at::from_blob(const_cast<void*>(output.view.data), ShapeOf(output.view), release, at::TensorOptions(type));
}

}  // namespace redoubt::backends::torch
