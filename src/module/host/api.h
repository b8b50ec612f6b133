#pragma once

// The server's functions are variables that redismodule.h declares: here for everybody, defined once in api.cc.
// Only files under src/module may include this.
#ifndef REDOUBT_DEFINE_MODULE_API
#define REDISMODULE_API extern
#define REDISMODULE_ATTR
#endif

#include <redismodule.h>

#include "base/status.h"

namespace redoubt::host {

// Looks up the functions of the Redis 7.0 module API and names the module. First call in OnLoad.
base::Status InitApi(RedisModuleCtx* ctx, const char* name, int version);

}  // namespace redoubt::host
