#include "module/host/server_memory.h"

#include <cstdint>
#include <cstring>
#include <new>

#include "module/host/api.h"

namespace redoubt::host {
namespace {

constexpr size_t kServerAlignment = 16;

// The first aligned place in a block that leaves room for a pointer in front.
void** AlignedIn(void* block, size_t alignment) {
  const uintptr_t start = reinterpret_cast<uintptr_t>(block) + sizeof(void*);
  return reinterpret_cast<void**>((start + alignment - 1) & ~(uintptr_t{alignment} - 1));
}

class Memory final : public base::MemoryResource {
 public:
  void* Allocate(size_t bytes, size_t alignment) override {
    if (alignment <= kServerAlignment) return RedisModule_TryAlloc(bytes);
    // Over-allocated: the block's own address stands in front of the aligned one.
    const size_t total = bytes + alignment + sizeof(void*);
    if (total < bytes) return nullptr;
    void* block = RedisModule_TryAlloc(total);
    if (block == nullptr) return nullptr;
    void** aligned = AlignedIn(block, alignment);
    aligned[-1] = block;
    return aligned;
  }

  void Deallocate(void* p, size_t /*bytes*/, size_t alignment) override {
    if (p == nullptr) return;
    RedisModule_Free(alignment <= kServerAlignment ? p : static_cast<void**>(p)[-1]);
  }
};

}  // namespace

base::MemoryResource& ServerMemory() {
  // Never destroyed: worker threads may free through it while the process ends.
  alignas(Memory) static unsigned char storage[sizeof(Memory)];
  static Memory* memory = new (storage) Memory;
  return *memory;
}

base::Buffer::Mover DefragMover(RedisModuleDefragCtx* ctx) {
  return [ctx](void* aligned, size_t bytes) -> void* {
    void* block = static_cast<void**>(aligned)[-1];
    const ptrdiff_t at = static_cast<char*>(aligned) - static_cast<char*>(block);
    void* moved = RedisModule_DefragAlloc(ctx, block);  // copies the block, frees the old one
    if (moved == nullptr) return aligned;               // it lies well where it is
    void** place = AlignedIn(moved, base::Buffer::kAlignment);
    std::memmove(place, static_cast<char*>(moved) + at, bytes);
    place[-1] = moved;
    return place;
  };
}

}  // namespace redoubt::host
