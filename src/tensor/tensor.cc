#include "tensor/tensor.h"

#include <fmt/core.h>

#include <cstring>
#include <new>
#include <utility>

#include "base/check.h"

namespace redoubt::tensor {
namespace {

using TensorResult = base::Result<std::shared_ptr<Tensor>>;

// So that the tensor's own fields are counted where its bytes are: thousands of scalars are real memory too.
template <class T>
class ResourceAllocator {
 public:
  using value_type = T;
  explicit ResourceAllocator(base::MemoryResource& memory) : memory_(&memory) {}
  template <class U>
  ResourceAllocator(const ResourceAllocator<U>& other) : memory_(other.memory()) {}  // NOLINT: allocators convert

  T* allocate(size_t n) {
    void* p = memory_->Allocate(n * sizeof(T), alignof(T));
    if (p == nullptr) throw std::bad_alloc();
    return static_cast<T*>(p);
  }
  void deallocate(T* p, size_t n) { memory_->Deallocate(p, n * sizeof(T), alignof(T)); }
  base::MemoryResource* memory() const { return memory_; }
  template <class U>
  bool operator==(const ResourceAllocator<U>& other) const {
    return memory_ == other.memory();
  }

 private:
  base::MemoryResource* memory_;
};

base::Status CheckBooleans(std::span<const std::byte> bytes) {
  for (std::byte b : bytes) {
    if (b > std::byte{1}) return base::InvalidArgument("BOOL tensor elements must be 0 or 1");
  }
  return base::OkStatus();
}

size_t AlignedForOffsets(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

}  // namespace

struct Tensor::Tag {};

Tensor::Tensor(const Tag&, DType dtype, std::vector<int64_t> shape, size_t element_count)
    : dtype_(dtype), shape_(std::move(shape)), element_count_(element_count) {}

TensorResult Tensor::Allocate(DType dtype, std::vector<int64_t> shape, size_t bytes, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const size_t count, ElementCount(shape));
  size_t total = bytes;
  if (dtype == DType::kString) {
    size_t offset_bytes = 0;
    if (__builtin_mul_overflow(count, sizeof(uint64_t), &offset_bytes) ||
        __builtin_add_overflow(AlignedForOffsets(bytes), offset_bytes, &total)) {
      return base::InvalidArgument(fmt::format("shape {} of STRING is too large", ShapeToString(shape)));
    }
  }
  ASSIGN_OR_RETURN(base::Buffer buffer, base::Buffer::Create(total, memory));
  std::shared_ptr<Tensor> tensor;
  try {
    tensor = std::allocate_shared<Tensor>(ResourceAllocator<Tensor>(memory), Tag{}, dtype, std::move(shape), count);
  } catch (const std::bad_alloc&) {
    return base::ResourceExhausted("no memory for a tensor");
  }
  tensor->buffer_ = std::move(buffer);
  tensor->data_ = {tensor->buffer_.data(), bytes};
  if (dtype == DType::kString && count > 0) {
    auto* offsets = reinterpret_cast<uint64_t*>(tensor->buffer_.data() + AlignedForOffsets(bytes));
    tensor->offsets_ = {offsets, count};
  }
  return tensor;
}

TensorResult Tensor::CreateUninitialized(DType dtype, std::vector<int64_t> shape, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const size_t bytes, ByteSize(dtype, shape));
  if (dtype == DType::kString) return Create(dtype, std::move(shape), memory);
  return Allocate(dtype, std::move(shape), bytes, memory);
}

TensorResult Tensor::Create(DType dtype, std::vector<int64_t> shape, base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const size_t bytes, ByteSize(dtype, shape));
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor, Allocate(dtype, std::move(shape), bytes, memory));
  if (bytes > 0) std::memset(tensor->buffer_.data(), 0, bytes);
  if (dtype == DType::kString) RETURN_IF_ERROR(tensor->IndexStrings());
  return tensor;
}

TensorResult Tensor::FromBlob(DType dtype, std::vector<int64_t> shape, std::span<const std::byte> blob,
                              base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const size_t bytes, ByteSize(dtype, shape));
  if (dtype == DType::kString) {
    // Each element takes at least its NUL: a shape that promises more elements than bytes is refused before memory is
    // taken for their offsets.
    if (blob.size() < bytes || (!blob.empty() && blob.back() != std::byte{0})) {
      return base::InvalidArgument("Number of string elements in data blob does not match tensor length");
    }
  } else if (blob.size() != bytes) {
    return base::InvalidArgument("data length does not match tensor shape and type");
  }
  if (dtype == DType::kBool) RETURN_IF_ERROR(CheckBooleans(blob));
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor, Allocate(dtype, std::move(shape), blob.size(), memory));
  if (!blob.empty()) std::memcpy(tensor->buffer_.data(), blob.data(), blob.size());
  if (dtype == DType::kString) RETURN_IF_ERROR(tensor->IndexStrings());
  return tensor;
}

TensorResult Tensor::FromStrings(std::vector<int64_t> shape, std::span<const std::string_view> values,
                                 base::MemoryResource& memory) {
  ASSIGN_OR_RETURN(const size_t count, ElementCount(shape));
  if (count != values.size()) {
    return base::InvalidArgument(fmt::format("{} strings for a tensor of {} elements", values.size(), count));
  }
  size_t bytes = 0;
  for (std::string_view value : values) {
    if (value.find('\0') != std::string_view::npos) {
      return base::InvalidArgument("C-string value contains null character");
    }
    bytes += value.size() + 1;
  }
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor, Allocate(DType::kString, std::move(shape), bytes, memory));
  std::byte* out = tensor->buffer_.data();
  for (std::string_view value : values) {
    if (!value.empty()) std::memcpy(out, value.data(), value.size());
    out += value.size();
    *out++ = std::byte{0};
  }
  RETURN_IF_ERROR(tensor->IndexStrings());
  return tensor;
}

TensorResult Tensor::Adopt(DType dtype, std::vector<int64_t> shape, std::span<const std::byte> bytes,
                           std::shared_ptr<void> owner) {
  CHECK(dtype != DType::kString);
  ASSIGN_OR_RETURN(const size_t expected, ByteSize(dtype, shape));
  if (bytes.size() != expected) return base::InvalidArgument("data length does not match tensor shape and type");
  ASSIGN_OR_RETURN(const size_t count, ElementCount(shape));
  auto tensor = std::make_shared<Tensor>(Tag{}, dtype, std::move(shape), count);
  tensor->data_ = bytes;
  tensor->owner_ = std::move(owner);
  return tensor;
}

base::Status Tensor::IndexStrings() {
  size_t element = 0;
  size_t start = 0;
  const auto* bytes = reinterpret_cast<const char*>(data_.data());
  while (start < data_.size()) {
    const void* nul = std::memchr(bytes + start, 0, data_.size() - start);
    if (nul == nullptr || element == element_count_) break;
    offsets_[element++] = start;
    start = static_cast<size_t>(static_cast<const char*>(nul) - bytes) + 1;
  }
  if (element != element_count_ || start != data_.size()) {
    return base::InvalidArgument("Number of string elements in data blob does not match tensor length");
  }
  return base::OkStatus();
}

std::string_view Tensor::StringAt(size_t i) const {
  CHECK(i < offsets_.size());
  const size_t end = i + 1 < offsets_.size() ? offsets_[i + 1] : data_.size();
  return {reinterpret_cast<const char*>(data_.data()) + offsets_[i], end - offsets_[i] - 1};
}

void Tensor::MoveBy(const base::Buffer::Mover& mover) {
  if (owner_ != nullptr) return;  // adopted: the vendor's
  const std::byte* before = buffer_.data();
  buffer_.MoveBy(mover);
  data_ = {buffer_.data(), data_.size()};
  if (offsets_.empty()) return;
  const ptrdiff_t at = reinterpret_cast<const std::byte*>(offsets_.data()) - before;
  offsets_ = {reinterpret_cast<uint64_t*>(buffer_.data() + at), offsets_.size()};
}

size_t Tensor::memory_bytes() const {
  return sizeof(Tensor) + shape_.capacity() * sizeof(int64_t) + (owner_ ? data_.size() : buffer_.size());
}

}  // namespace redoubt::tensor
