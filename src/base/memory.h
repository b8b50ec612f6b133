#pragma once

#include <cstddef>
#include <functional>
#include <memory_resource>
#include <span>
#include <utility>

#include "base/result.h"

namespace redoubt::base {

// Where tensors, vectors and postings take their bytes. The module passes one over the server's allocator, so that
// used_memory counts them; everybody else the default. Unlike std::pmr resources it answers null instead of throwing,
// because running out of memory is an expected answer inside a server.
class MemoryResource {
 public:
  virtual ~MemoryResource() = default;
  // `alignment` is a power of two, at most 64. Null when there is no room.
  virtual void* Allocate(size_t bytes, size_t alignment) = 0;
  // With the same `bytes` and `alignment` as at Allocate. May run on any thread.
  virtual void Deallocate(void* p, size_t bytes, size_t alignment) = 0;
};

// Over the C++ allocator; lives for the whole process.
MemoryResource& DefaultMemory();

// An owned, 64-byte aligned block of bytes from a MemoryResource; moves, never copies by accident.
class Buffer {
 public:
  static constexpr size_t kAlignment = 64;  // one cache line; enough for every vector instruction set

  Buffer() = default;
  // ResourceExhausted when the resource has no room. The bytes are not set.
  static Result<Buffer> Create(size_t size, MemoryResource& memory);
  ~Buffer() { Reset(); }

  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;

  // For an allocator that wants its blocks elsewhere: takes a block of `bytes` and gives where its bytes are now,
  // aligned as before; the old place may be gone.
  using Mover = std::function<void*(void* block, size_t bytes)>;
  void MoveBy(const Mover& mover);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> span() { return {data_, size_}; }
  std::span<const std::byte> span() const { return {data_, size_}; }

 private:
  void Reset();

  MemoryResource* memory_ = nullptr;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Lets standard containers draw from a MemoryResource. Throws std::bad_alloc when there is no room, as they expect.
class StdMemoryAdapter final : public std::pmr::memory_resource {
 public:
  explicit StdMemoryAdapter(MemoryResource& memory) : memory_(memory) {}

 private:
  void* do_allocate(size_t bytes, size_t alignment) override;
  void do_deallocate(void* p, size_t bytes, size_t alignment) override;
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override { return this == &other; }

  MemoryResource& memory_;
};

}  // namespace redoubt::base
