#pragma once

#include "base/log.h"
#include "base/memory.h"
#include "base/status.h"
#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::ft {

// Adds FT.* to the module, within OnLoad. On a server that has FT.* from elsewhere nothing but the reader of our part
// of an RDB is added, and the log says so. The module must not declare REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD.
base::Status RegisterFt(host::Context& on_load, base::MemoryResource& memory, base::Logger logger);

// On the server's SHUTDOWN event: refuses searches and joins the reader threads, within milliseconds.
void StopFt();

// The section `ft` of INFO; from the function that the module gave RM_RegisterInfoFunc.
void AddFtInfo(RedisModuleInfoCtx* info);

}  // namespace redoubt::ft
