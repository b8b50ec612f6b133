#pragma once

#include <cstddef>

#include "module/host/context.h"

namespace redoubt::host {

// What the server says of its memory, in bytes.
struct MemoryUse {
  size_t used = 0;
  size_t limit = 0;  // maxmemory; 0: none
};

// Main thread; asks for a section of INFO, some tens of microseconds.
MemoryUse ReadMemoryUse(Context& ctx);

}  // namespace redoubt::host
