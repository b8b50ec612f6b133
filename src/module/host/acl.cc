#include "module/host/acl.h"

#include "module/host/key.h"

namespace redoubt::host {

Caller Caller::Of(Context& ctx) {
  Caller caller;
  if (RedisModuleString* name = RedisModule_GetCurrentUserName(ctx.raw())) {
    size_t length = 0;
    const char* text = RedisModule_StringPtrLen(name, &length);
    caller.user_.assign(text, length);
    RedisModule_FreeString(ctx.raw(), name);
  }
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
