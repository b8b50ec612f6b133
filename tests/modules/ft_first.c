// A server that has FT.* already: this takes the names FT.CREATE and FT.SEARCH before redisai.so is loaded.
#include "redismodule.h"

static int Answer(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  (void)argv;
  (void)argc;
  return RedisModule_ReplyWithSimpleString(ctx, "from the other module");
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  (void)argv;
  (void)argc;
  if (RedisModule_Init(ctx, "ft_first", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
  if (RedisModule_CreateCommand(ctx, "ft.create", Answer, "write", 0, 0, 0) != REDISMODULE_OK) return REDISMODULE_ERR;
  return RedisModule_CreateCommand(ctx, "ft.search", Answer, "readonly", 0, 0, 0);
}
