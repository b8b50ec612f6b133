#include "base/memory.h"

#include <fmt/core.h>

#include <cstdlib>
#include <new>

namespace redoubt::base {
namespace {

class HeapMemory final : public MemoryResource {
 public:
  void* Allocate(size_t bytes, size_t alignment) override {
    return ::operator new(bytes, std::align_val_t(alignment), std::nothrow);
  }
  void Deallocate(void* p, size_t, size_t alignment) override {
    ::operator delete(p, std::align_val_t(alignment));  // without the size: clang 14 has that form only behind a flag
  }
};

}  // namespace

MemoryResource& DefaultMemory() {
  // Never destroyed: threads may still free through it while the process ends.
  alignas(HeapMemory) static unsigned char storage[sizeof(HeapMemory)];
  static HeapMemory* memory = new (storage) HeapMemory;
  return *memory;
}

Result<Buffer> Buffer::Create(size_t size, MemoryResource& memory) {
  Buffer buffer;
  if (size == 0) return buffer;
  void* data = memory.Allocate(size, kAlignment);
  if (data == nullptr) return ResourceExhausted(fmt::format("no memory for a block of {} bytes", size));
  buffer.memory_ = &memory;
  buffer.data_ = static_cast<std::byte*>(data);
  buffer.size_ = size;
  return buffer;
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    Reset();
    memory_ = std::exchange(other.memory_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Buffer::MoveBy(const Mover& mover) {
  if (data_ != nullptr) data_ = static_cast<std::byte*>(mover(data_, size_));
}

void Buffer::Reset() {
  if (data_ != nullptr) memory_->Deallocate(data_, size_, kAlignment);
  data_ = nullptr;
  size_ = 0;
}

void* StdMemoryAdapter::do_allocate(size_t bytes, size_t alignment) {
  void* p = memory_.Allocate(bytes, alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

void StdMemoryAdapter::do_deallocate(void* p, size_t bytes, size_t alignment) {
  memory_.Deallocate(p, bytes, alignment);
}

}  // namespace redoubt::base
