/* What one hop costs without anything of ours: HOP blocks its client, wakes a thread, and that thread unblocks it. The
 * floor for every command that works on another thread; bench/flow/model_exec_bench.py measures it beside ours. */
#include <pthread.h>
#include <redismodule.h>
#include <semaphore.h>

static sem_t posted;
static RedisModuleBlockedClient* volatile waiting; /* one connection at a time */

static int Reply(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  (void)argv;
  (void)argc;
  return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static void* Work(void* unused) {
  for (;;) {
    sem_wait(&posted);
    RedisModule_UnblockClient(waiting, NULL);
  }
  return unused;
}

static int Hop(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  (void)argv;
  (void)argc;
  waiting = RedisModule_BlockClient(ctx, Reply, NULL, NULL, 0);
  sem_post(&posted);
  return REDISMODULE_OK;
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  pthread_t thread;
  (void)argv;
  (void)argc;
  if (RedisModule_Init(ctx, "hop", 1, REDISMODULE_APIVER_1) != REDISMODULE_OK) return REDISMODULE_ERR;
  if (sem_init(&posted, 0, 0) != 0 || pthread_create(&thread, NULL, Work, NULL) != 0) return REDISMODULE_ERR;
  return RedisModule_CreateCommand(ctx, "hop", Hop, "readonly", 0, 0, 0);
}
