#include "module/host/acl.h"

#include <utility>

#include "module/host/key.h"

namespace redoubt::host {
namespace {

// Commands from the primary, from the AOF and from another module have none, and Redis 7.0 crashes when it is asked
// for the name of a user that is not there.
bool HasUser(Context& ctx) {
  if (ctx.CanBlock()) return true;
  const int flags = ctx.Flags();
  if ((flags & (REDISMODULE_CTX_FLAGS_REPLICATED | REDISMODULE_CTX_FLAGS_LOADING)) != 0) return false;
  if ((flags & REDISMODULE_CTX_FLAGS_LUA) != 0) return true;
  RedisModuleClientInfo info{};
  info.version = REDISMODULE_CLIENTINFO_VERSION;
  return RedisModule_GetClientInfoById(&info, RedisModule_GetClientId(ctx.raw())) == REDISMODULE_OK;
}

}  // namespace

Caller Caller::Of(Context& ctx) {
  Caller caller;
  if (!HasUser(ctx)) return caller;
  if (RedisModuleString* name = RedisModule_GetCurrentUserName(ctx.raw())) {
    size_t length = 0;
    const char* text = RedisModule_StringPtrLen(name, &length);
    caller.user_.assign(text, length);
    RedisModule_FreeString(ctx.raw(), name);
  }
  return caller;
}

Caller Caller::Named(std::string user) {
  Caller caller;
  caller.user_ = std::move(user);
  return caller;
}

bool Caller::MayUseKey(RedisModuleString* key, int flags) const {
  String name(user_);
  RedisModuleUser* user = RedisModule_GetModuleUserFromUserName(name.raw());
  if (user == nullptr) return false;
  const bool allowed = RedisModule_ACLCheckKeyPermissions(user, key, flags) == REDISMODULE_OK;
  RedisModule_FreeModuleUser(user);
  return allowed;
}

}  // namespace redoubt::host
