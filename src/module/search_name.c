// A server module of nothing but a name, `search`, for clients that ask MODULE LIST before they use FT.*: RedisVL up to
// 0.11 and LangChain's older stores want a module of this name, version 2.8.10 or later. The commands are redisai.so's.
// Loaded only where somebody's client needs it; beside a real module of this name it refuses to load.
#include <redismodule.h>

enum { kStandsFor = 21005 };  // 2.10.5, whose replies FT.* gives

__attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  (void)argv;
  (void)argc;
  return RedisModule_Init(ctx, "search", kStandsFor, REDISMODULE_APIVER_1);
}
