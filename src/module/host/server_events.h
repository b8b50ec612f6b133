#pragma once

#include "base/status.h"
#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::host {

// As RM_SubscribeToServerEvent, but several parts of the module may follow the same event, each called in the order of
// the subscriptions: the server itself keeps one callback per module and event, and a second replaces the first.
// Within OnLoad.
base::Status SubscribeToServerEvent(Context& ctx, RedisModuleEvent event, RedisModuleEventCallback callback);

}  // namespace redoubt::host
