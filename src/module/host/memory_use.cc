#include "module/host/memory_use.h"

#include "module/host/api.h"

namespace redoubt::host {

MemoryUse ReadMemoryUse(Context& ctx) {
  RedisModuleServerInfoData* info = RedisModule_GetServerInfo(ctx.raw(), "memory");
  int error = 0;
  MemoryUse use;
  use.used = RedisModule_ServerInfoGetFieldUnsigned(info, "used_memory", &error);
  use.limit = RedisModule_ServerInfoGetFieldUnsigned(info, "maxmemory", &error);
  RedisModule_FreeServerInfo(ctx.raw(), info);
  return use;
}

}  // namespace redoubt::host
