#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/memory.h"
#include "base/result.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace redoubt::tensor {

// A typed, shaped, row-major block of memory. Filled by its maker, then shared as shared_ptr<const Tensor> and never
// changed: any number of threads may read it. Numbers lie in the machine's (little-endian) order.
//
// Byte form ("blob"): numbers and booleans packed without gaps; strings one after the other, each ended by a NUL.
class Tensor {
 public:
  using Ptr = std::shared_ptr<const Tensor>;

  // All elements 0 (strings: empty). InvalidArgument for an impossible shape, ResourceExhausted without memory.
  static base::Result<std::shared_ptr<Tensor>> Create(DType dtype, std::vector<int64_t> shape,
                                                      base::MemoryResource& memory);

  // As Create, but numeric elements are left unset: the caller writes every one of mutable_data().
  static base::Result<std::shared_ptr<Tensor>> CreateUninitialized(DType dtype, std::vector<int64_t> shape,
                                                                   base::MemoryResource& memory);

  // Copies `blob`. InvalidArgument when its length, its booleans or its string count do not fit dtype and shape.
  static base::Result<std::shared_ptr<Tensor>> FromBlob(DType dtype, std::vector<int64_t> shape,
                                                        std::span<const std::byte> blob, base::MemoryResource& memory);

  // Copies `values`, none of which may hold a NUL, in row-major order.
  static base::Result<std::shared_ptr<Tensor>> FromStrings(std::vector<int64_t> shape,
                                                           std::span<const std::string_view> values,
                                                           base::MemoryResource& memory);

  // Takes bytes that somebody else made, without a copy; `owner` keeps them alive. Not for strings.
  static base::Result<std::shared_ptr<Tensor>> Adopt(DType dtype, std::vector<int64_t> shape,
                                                     std::span<const std::byte> bytes, std::shared_ptr<void> owner);

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  size_t element_count() const { return element_count_; }

  // The byte form.
  std::span<const std::byte> data() const { return data_; }
  size_t byte_size() const { return data_.size(); }

  // Only for the maker, before the tensor is shared, and only for numbers.
  std::byte* mutable_data() { return buffer_.data(); }

  // Only by the one who holds the last reference: moves the elements to where the allocator wants them.
  void MoveBy(const base::Buffer::Mover& mover);

  // Element `i` of a string tensor, without its NUL.
  std::string_view StringAt(size_t i) const;
  // Where each string starts within data(), element_count() of them; empty for numbers.
  std::span<const uint64_t> string_offsets() const { return offsets_; }

  // data() as numbers; T must be the element's C++ type (uint16_t for the 16-bit floats).
  template <class T>
  std::span<const T> As() const {
    return {reinterpret_cast<const T*>(data_.data()), data_.size() / sizeof(T)};
  }

  // Everything this tensor holds, itself included.
  size_t memory_bytes() const;

  // Private in effect: nobody else can name the tag.
  struct Tag;
  Tensor(const Tag&, DType dtype, std::vector<int64_t> shape, size_t element_count);

 private:
  static base::Result<std::shared_ptr<Tensor>> Allocate(DType dtype, std::vector<int64_t> shape, size_t bytes,
                                                        base::MemoryResource& memory);
  // Fills offsets_ from the NULs in data_.
  base::Status IndexStrings();

  DType dtype_;
  std::vector<int64_t> shape_;
  size_t element_count_;
  base::Buffer buffer_;          // elements, then the offsets of strings
  std::shared_ptr<void> owner_;  // of adopted bytes
  std::span<const std::byte> data_;
  std::span<uint64_t> offsets_;
};

}  // namespace redoubt::tensor
