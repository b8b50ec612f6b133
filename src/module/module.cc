// The server module `ai`: OnLoad builds the parts, joins them and registers what they offer; the shutdown event stops
// them. Nothing is freed: the server never unloads a module with data types, and the process takes it all along.
#include <unistd.h>

#include <cstdlib>

#include "base/log.h"
#include "module/ai/ai_module.h"
#include "module/ai/commands.h"
#include "module/host/api.h"
#include "module/host/blocked_client.h"
#include "module/host/command.h"
#include "module/host/newer_api.h"
#include "module/host/server_log.h"
#include "module/host/server_memory.h"
#ifdef REDOUBT_WITH_FT
#include "module/ft/error_codes.h"
#include "module/ft/register_ft.h"
#endif

namespace redoubt {
namespace {

constexpr int kModuleVersion = 100;      // 0.1.0
constexpr int64_t kStopWithinMs = 1000;  // a supervisor's patience is longer; SIGTERM must end within two seconds

void OnInfo(RedisModuleInfoCtx* info, int for_crash_report) {
  ai::FillServerInfo(info, for_crash_report);
#ifdef REDOUBT_WITH_FT
  if (for_crash_report == 0) ft::AddFtInfo(info);
#endif
}

// After the server has saved its data.
void OnShutdown(RedisModuleCtx*, RedisModuleEvent, uint64_t, void*) {
#ifdef REDOUBT_WITH_FT
  ft::StopFt();
#endif
  ai::AiModule& ai = *host::StateOf<ai::AiModule>::value;
  if (ai.StopWithin(kStopWithinMs)) return;
  ai.logger().Warning("a model is still busy in its backend; the process ends without waiting for it");
  // That thread would run into the vendor's destroyed static objects; exit() calls this first, the last registered.
  std::atexit([] { _exit(0); });
}

base::Status Load(host::Context& ctx, const host::Args& args) {
  RedisModule_SetModuleOptions(ctx.raw(),
                               REDISMODULE_OPTIONS_HANDLE_IO_ERRORS | REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED);
  host::EffectsContext::Create(ctx);
  auto* settings = new ai::Settings;
  settings->backends_path = ai::ModuleDirectory() + "/backends";
#ifdef REDOUBT_WITH_FT
  RETURN_IF_ERROR(ft::RegisterFtSettings(ctx));
#endif
  RETURN_IF_ERROR(ai::RegisterSettings(ctx, settings));
  RETURN_IF_ERROR(ai::ParseLoadArguments(args, settings));
  host::StateOf<ai::AiModule>::value = new ai::AiModule(settings, host::ServerLogger(), host::ServerMemory());
  RETURN_IF_ERROR(ai::RegisterAi(ctx));
  host::StateOf<ai::AiModule>::value->LoadBackends();
#ifdef REDOUBT_WITH_FT
  RETURN_IF_ERROR(ft::RegisterFt(ctx, host::ServerMemory(), host::ServerLogger()));
#endif
  if (RedisModule_RegisterInfoFunc(ctx.raw(), &OnInfo) != REDISMODULE_OK) {
    return base::Internal("the sections of INFO cannot be registered");
  }
  RedisModule_SubscribeToServerEvent(ctx.raw(), RedisModuleEvent_Shutdown, &OnShutdown);
  return base::OkStatus();
}

}  // namespace
}  // namespace redoubt

extern "C" __attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx* ctx, RedisModuleString** argv,
                                                                         int argc) {
  using namespace redoubt;  // NOLINT: the one function outside of the namespace
  if (!host::InitApi(ctx, "ai", kModuleVersion).ok()) return REDISMODULE_ERR;
  host::Context context(ctx);
  try {
    const base::Status status = Load(context, host::Args(argv, argc));
    if (status.ok()) return REDISMODULE_OK;
    RedisModule_Log(ctx, REDISMODULE_LOGLEVEL_WARNING, "redisai.so does not load: %s", status.message().c_str());
  } catch (const std::exception& e) {
    RedisModule_Log(ctx, REDISMODULE_LOGLEVEL_WARNING, "redisai.so does not load: %s", e.what());
  }
  return REDISMODULE_ERR;
}
