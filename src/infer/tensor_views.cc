#include "infer/tensor_views.h"

#include <fmt/core.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

namespace redoubt::infer {
namespace {

using tensor::Tensor;

// Below this a copy is cheaper than keeping the backend's own object alive for as long as the tensor.
constexpr size_t kCopyLimitBytes = 4096;

}  // namespace

redoubt_view ViewOf(const Tensor& tensor) {
  redoubt_view view{};
  view.data = tensor.data().data();
  view.byte_size = tensor.byte_size();
  view.shape = tensor.shape().data();
  view.ndim = static_cast<int32_t>(tensor.shape().size());
  view.dtype = static_cast<redoubt_dtype>(tensor.dtype());
  view.string_offsets = tensor.string_offsets().data();
  return view;
}

std::vector<redoubt_view> ViewsOf(std::span<const Tensor::Ptr> tensors) {
  std::vector<redoubt_view> views;
  views.reserve(tensors.size());
  for (const Tensor::Ptr& tensor : tensors) views.push_back(ViewOf(*tensor));
  return views;
}

base::Result<std::vector<Tensor::Ptr>> TakeOutputs(std::span<const redoubt_output> outputs,
                                                   base::MemoryResource& memory) {
  std::vector<std::shared_ptr<void>> owners;
  owners.reserve(outputs.size());
  for (const redoubt_output& output : outputs) {
    owners.emplace_back(output.owner, [release = output.release](void* owner) {
      if (release != nullptr) release(owner);
    });
  }
  std::vector<Tensor::Ptr> tensors;
  tensors.reserve(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const redoubt_view& view = outputs[i].view;
    const std::optional<tensor::DType> dtype = tensor::DTypeFromNumber(view.dtype);
    if (!dtype) return base::Internal(fmt::format("output {} has an unknown element type {}", i, view.dtype));
    std::vector<int64_t> shape(view.shape, view.shape + view.ndim);
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(view.data), view.byte_size);
    if (*dtype == tensor::DType::kString || bytes.size() <= kCopyLimitBytes || outputs[i].release == nullptr) {
      ASSIGN_OR_RETURN(auto copied, Tensor::FromBlob(*dtype, std::move(shape), bytes, memory));
      tensors.push_back(std::move(copied));
    } else {
      ASSIGN_OR_RETURN(auto adopted, Tensor::Adopt(*dtype, std::move(shape), bytes, owners[i]));
      tensors.push_back(std::move(adopted));
    }
  }
  return tensors;
}

base::Result<Tensor::Ptr> Borrow(const redoubt_view& view) {
  const std::optional<tensor::DType> dtype = tensor::DTypeFromNumber(view.dtype);
  if (!dtype || *dtype == tensor::DType::kString) {
    return base::InvalidArgument(fmt::format("a tensor of element type {} cannot be passed on", view.dtype));
  }
  const std::span<const std::byte> bytes(static_cast<const std::byte*>(view.data), view.byte_size);
  ASSIGN_OR_RETURN(auto tensor,
                   Tensor::Adopt(*dtype, std::vector<int64_t>(view.shape, view.shape + view.ndim), bytes, nullptr));
  return Tensor::Ptr(std::move(tensor));
}

redoubt_output LendOutput(Tensor::Ptr tensor) {
  auto owner = std::make_unique<Tensor::Ptr>(std::move(tensor));
  const redoubt_view view = ViewOf(**owner);
  return {view, owner.release(), [](void* lent) { delete static_cast<Tensor::Ptr*>(lent); }};
}

base::Status ToStatus(int32_t code, const redoubt_error& error) {
  switch (code) {
    case REDOUBT_INVALID_MODEL:
    case REDOUBT_INVALID_INPUT:
      return base::InvalidArgument(error.message);
    case REDOUBT_CANCELLED:
      return base::Cancelled(error.message);
    case REDOUBT_OUT_OF_MEMORY:
      return base::ResourceExhausted(error.message);
    case REDOUBT_UNSUPPORTED:
      return base::Unimplemented(error.message);
    case REDOUBT_RUN_FAILED:
      return base::FailedPrecondition(error.message);
    default:
      return base::Internal(error.message);
  }
}

int32_t FromStatus(const base::Status& status, redoubt_error* error) {
  if (status.ok()) return REDOUBT_OK;
  std::snprintf(error->message, sizeof error->message, "%s", status.message().c_str());
  switch (status.code()) {
    case base::StatusCode::kInvalidArgument:
      return REDOUBT_INVALID_INPUT;
    case base::StatusCode::kCancelled:
      return REDOUBT_CANCELLED;
    case base::StatusCode::kResourceExhausted:
      return REDOUBT_OUT_OF_MEMORY;
    default:
      return REDOUBT_RUN_FAILED;
  }
}

}  // namespace redoubt::infer
