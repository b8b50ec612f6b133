#pragma once

#include "module/host/api.h"

namespace redoubt::host {

// Functions that came after Redis 7.0; null where the server has none.
struct NewerApi {
  // Redis 7.4, Valkey 8.0; only within OnLoad
  int (*AddACLCategory)(RedisModuleCtx* ctx, const char* name) = nullptr;
  // Redis 7.2
  int (*SetCommandACLCategories)(RedisModuleCommand* command, const char* categories) = nullptr;
};

NewerApi LookUpNewerApi();

}  // namespace redoubt::host
