#define REDOUBT_DEFINE_MODULE_API
#define REDISMODULE_API
#define REDISMODULE_ATTR
#include "module/host/api.h"

namespace redoubt::host {

base::Status InitApi(RedisModuleCtx* ctx, const char* name, int version) {
  if (RedisModule_Init(ctx, name, version, REDISMODULE_APIVER_1) != REDISMODULE_OK) {
    return base::AlreadyExists("a module with this name is loaded already");
  }
  if (RedisModule_RegisterNumericConfig == nullptr || RedisModule_TryAlloc == nullptr) {
    return base::FailedPrecondition("the server is too old: Redis 7.0 or Valkey 8.0 is needed");
  }
  return base::OkStatus();
}

}  // namespace redoubt::host
