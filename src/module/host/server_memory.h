#pragma once

#include "base/memory.h"

namespace redoubt::host {

// The server's allocator, so that used_memory counts what tensors, models and indexes hold. Any thread.
base::MemoryResource& ServerMemory();

}  // namespace redoubt::host
