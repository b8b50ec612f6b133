#include "module/ft/keyspace.h"

#include <pthread.h>

#include <algorithm>
#include <string_view>

#include "base/clock.h"
#include "module/ft/document_reader.h"
#include "module/host/command.h"
#include "module/host/key.h"
#include "module/host/server_events.h"

namespace redoubt::ft {
namespace {

FtModule& Ft() { return *host::StateOf<FtModule>::value; }

// The key is gone for certain: no need to look.
bool IsDeletion(std::string_view event) {
  return event == "del" || event == "expired" || event == "evicted" || event == "rename_from" || event == "move_from";
}

// They leave the fields as they are.
bool ChangesNothing(std::string_view event) { return event == "expire" || event == "persist"; }

void UpdateKey(host::Context& ctx, RedisModuleString* name, std::string_view event) {
  if (IsDeletion(event)) {
    for (const auto& [index, entry] : Ft().indexes()) {
      if (entry->definition().Covers(View(name))) entry->live->Remove(View(name));
    }
    return;
  }
  // A copy, because the name in a "loaded" event lies on the server's stack and may not be retained.
  host::String copy(View(name));
  host::Key key = host::Key::ForRead(ctx, copy.raw());
  const int type = key.type();
  for (const auto& [index, entry] : Ft().indexes()) {
    if (!entry->definition().json) IndexHash(copy.raw(), key.raw(), *entry);
  }
  key.Close();
  for (const auto& [index, entry] : Ft().indexes()) {
    if (entry->definition().json) IndexJson(copy.raw(), type, *entry);
  }
}

// A writer cannot be made to wait here, but it can be made to help. While a file is loaded nobody searches.
void HoldBackWriter() {
  for (const auto& [index, entry] : Ft().indexes()) {
    if (entry->live->work().overfull()) entry->live->work().LinkOne();
  }
}

int OnKeyEvent(RedisModuleCtx* raw, int /*type*/, const char* event, RedisModuleString* name) {
  FtModule& ft = Ft();
  if (ft.indexes().empty() || ChangesNothing(event)) return REDISMODULE_OK;
  host::Context ctx(raw);
  if (ctx.db() != 0 || !ft.indexes().Covers(View(name))) return REDISMODULE_OK;
  base::SystemClock clock;
  int64_t begin = clock.SteadyMicros();
  UpdateKey(ctx, name, event);
  if ((RedisModule_GetContextFlags(raw) & REDISMODULE_CTX_FLAGS_LOADING) == 0) HoldBackWriter();
  ++ft.key_events;
  ft.longest_event_us = std::max(ft.longest_event_us, clock.SteadyMicros() - begin);
  return REDISMODULE_OK;
}

// As in RediSearch, an index goes with the database it lies in.
void OnFlush(RedisModuleCtx* /*ctx*/, RedisModuleEvent /*event*/, uint64_t subevent, void* data) {
  auto* flush = static_cast<RedisModuleFlushInfo*>(data);
  if (subevent != REDISMODULE_SUBEVENT_FLUSHDB_START) return;
  if (flush->dbnum == 0 || flush->dbnum == -1) Ft().DropAllIndexes();
}

void OnSwap(RedisModuleCtx* /*ctx*/, RedisModuleEvent /*event*/, uint64_t /*subevent*/, void* data) {
  auto* swap = static_cast<RedisModuleSwapDbInfo*>(data);
  if (swap->dbnum_first != swap->dbnum_second && (swap->dbnum_first == 0 || swap->dbnum_second == 0)) {
    Ft().RescanAll();
  }
}

// What is loaded brings its own definitions.
void OnLoading(RedisModuleCtx* /*ctx*/, RedisModuleEvent /*event*/, uint64_t subevent, void* /*data*/) {
  bool start = subevent == REDISMODULE_SUBEVENT_LOADING_RDB_START ||
               subevent == REDISMODULE_SUBEVENT_LOADING_AOF_START ||
               subevent == REDISMODULE_SUBEVENT_LOADING_REPL_START;
  if (start) {
    Ft().DropAllIndexes();
  } else {
    Ft().FinishLoading();
  }
}

// The child of a fork reads the indexes, and no thread of ours goes on in it.
void CloseGate() { Ft().gate().Close(); }
void OpenGate() { Ft().gate().Open(); }

}  // namespace

base::Status SubscribeToKeyspace(host::Context& on_load) {
  RedisModuleCtx* ctx = on_load.raw();
  // All types: SET or SUNIONSTORE over a hash, for one, takes it out of an index.
  int types = REDISMODULE_NOTIFY_ALL | REDISMODULE_NOTIFY_LOADED;
  if (RedisModule_SubscribeToKeyspaceEvents(ctx, types, &OnKeyEvent) != REDISMODULE_OK) {
    return base::Internal("the server refused a subscription to key events");
  }
  if (pthread_atfork(&CloseGate, &OpenGate, &OpenGate) != 0) return base::ResourceExhausted("no memory for a handler");
  RETURN_IF_ERROR(host::SubscribeToServerEvent(on_load, RedisModuleEvent_FlushDB, &OnFlush));
  RETURN_IF_ERROR(host::SubscribeToServerEvent(on_load, RedisModuleEvent_SwapDB, &OnSwap));
  return host::SubscribeToServerEvent(on_load, RedisModuleEvent_Loading, &OnLoading);
}

}  // namespace redoubt::ft
