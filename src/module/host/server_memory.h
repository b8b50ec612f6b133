#pragma once

#include "base/memory.h"
#include "module/host/api.h"

namespace redoubt::host {

// The server's allocator, so that used_memory counts what tensors, models and indexes hold. Any thread.
base::MemoryResource& ServerMemory();

// Within a defrag callback of a data type: moves a Buffer of ServerMemory() to where the server's allocator wants it.
base::Buffer::Mover DefragMover(RedisModuleDefragCtx* ctx);

}  // namespace redoubt::host
