#include "module/host/server_events.h"

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>

namespace redoubt::host {
namespace {

struct Subscription {
  uint64_t event_id;
  RedisModuleEventCallback callback;
};

// The server's callback carries no state of ours. Written in OnLoad only.
constexpr size_t kMaxSubscriptions = 32;
Subscription g_subscriptions[kMaxSubscriptions];
size_t g_subscription_count = 0;

void CallAll(RedisModuleCtx* ctx, RedisModuleEvent event, uint64_t subevent, void* data) {
  for (size_t i = 0; i < g_subscription_count; ++i) {
    if (g_subscriptions[i].event_id == event.id) g_subscriptions[i].callback(ctx, event, subevent, data);
  }
}

}  // namespace

base::Status SubscribeToServerEvent(Context& ctx, RedisModuleEvent event, RedisModuleEventCallback callback) {
  if (g_subscription_count == kMaxSubscriptions) return base::ResourceExhausted("too many subscriptions to events");
  if (RedisModule_SubscribeToServerEvent(ctx.raw(), event, &CallAll) != REDISMODULE_OK) {
    return base::Unimplemented(fmt::format("the server does not know the event {}", event.id));
  }
  g_subscriptions[g_subscription_count++] = {event.id, callback};
  return base::OkStatus();
}

}  // namespace redoubt::host
