#include "infer/batch.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace redoubt::infer {
namespace {

using tensor::DType;
using tensor::Tensor;

// The bytes of rows [begin, begin + rows).
std::span<const std::byte> RowBytes(const Tensor& tensor, int64_t begin, int64_t rows) {
  const size_t total = static_cast<size_t>(tensor.shape()[0]);
  if (total == 0 || rows == 0) return {};
  if (tensor.dtype() != DType::kString) {
    const size_t row = tensor.byte_size() / total;
    return tensor.data().subspan(static_cast<size_t>(begin) * row, static_cast<size_t>(rows) * row);
  }
  const size_t strings = tensor.element_count() / total;
  if (strings == 0) return {};
  const std::span<const uint64_t> offsets = tensor.string_offsets();
  const size_t end_string = static_cast<size_t>(begin + rows) * strings;
  const size_t from = offsets[static_cast<size_t>(begin) * strings];
  const size_t to = end_string < offsets.size() ? offsets[end_string] : tensor.byte_size();
  return tensor.data().subspan(from, to - from);
}

base::Result<Tensor::Ptr> ConcatenateOne(std::span<const Tensors* const> runs, size_t index,
                                         base::MemoryResource& memory) {
  const Tensor& first = *(*runs[0])[index];
  std::vector<int64_t> shape = first.shape();
  size_t bytes = 0;
  shape[0] = 0;
  for (const Tensors* run : runs) {
    shape[0] += (*run)[index]->shape()[0];
    bytes += (*run)[index]->byte_size();
  }
  if (first.dtype() == DType::kString) {
    ASSIGN_OR_RETURN(base::Buffer joined, base::Buffer::Create(bytes, memory));
    size_t at = 0;
    for (const Tensors* run : runs) {
      const Tensor& part = *(*run)[index];
      if (part.byte_size() > 0) std::memcpy(joined.data() + at, part.data().data(), part.byte_size());
      at += part.byte_size();
    }
    ASSIGN_OR_RETURN(auto strings, Tensor::FromBlob(DType::kString, std::move(shape), joined.span(), memory));
    return Tensor::Ptr(std::move(strings));
  }
  ASSIGN_OR_RETURN(auto joined, Tensor::CreateUninitialized(first.dtype(), std::move(shape), memory));
  std::byte* out = joined->mutable_data();
  for (const Tensors* run : runs) {
    const Tensor& part = *(*run)[index];
    if (part.byte_size() > 0) std::memcpy(out, part.data().data(), part.byte_size());
    out += part.byte_size();
  }
  return Tensor::Ptr(std::move(joined));
}

}  // namespace

std::optional<int64_t> BatchRows(std::span<const Tensor::Ptr> inputs) {
  std::optional<int64_t> rows;
  for (const Tensor::Ptr& input : inputs) {
    if (input->shape().empty()) return std::nullopt;
    if (rows && *rows != input->shape()[0]) return std::nullopt;
    rows = input->shape()[0];
  }
  return rows;
}

std::string JoinKey(std::span<const Tensor::Ptr> inputs) {
  std::string key;
  const auto add = [&key](int64_t number) { key.append(reinterpret_cast<const char*>(&number), sizeof number); };
  for (const Tensor::Ptr& input : inputs) {
    add(static_cast<int64_t>(input->dtype()));
    add(static_cast<int64_t>(input->shape().size()));
    for (size_t i = 1; i < input->shape().size(); ++i) add(input->shape()[i]);
  }
  return key;
}

base::Result<Tensors> Concatenate(std::span<const Tensors* const> runs, base::MemoryResource& memory) {
  Tensors joined;
  for (size_t i = 0; i < runs[0]->size(); ++i) {
    ASSIGN_OR_RETURN(Tensor::Ptr one, ConcatenateOne(runs, i, memory));
    joined.push_back(std::move(one));
  }
  return joined;
}

base::Result<Tensors> SliceRows(const Tensors& outputs, int64_t begin, int64_t rows, int64_t total_rows,
                                std::string_view backend, base::MemoryResource& memory) {
  Tensors slices;
  for (const Tensor::Ptr& output : outputs) {
    if (output->shape().empty() || output->shape()[0] != total_rows) {
      return base::InvalidArgument(backend == "TF"
                                       ? "ERR Tensorflow batching error: model did not generate the expected batch size"
                                       : "ERR Model did not generate the expected batch size");
    }
    std::vector<int64_t> shape = output->shape();
    shape[0] = rows;
    ASSIGN_OR_RETURN(auto slice,
                     Tensor::FromBlob(output->dtype(), std::move(shape), RowBytes(*output, begin, rows), memory));
    slices.push_back(std::move(slice));
  }
  return slices;
}

}  // namespace redoubt::infer
