#include "module/host/acl.h"

#include <string_view>
#include <utility>

#include "module/host/blocked_client.h"
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

std::string_view ElementText(RedisModuleCallReply* array, size_t i) {
  size_t size = 0;
  const char* text = RedisModule_CallReplyStringPtr(RedisModule_CallReplyArrayElement(array, i), &size);
  return text == nullptr ? std::string_view() : std::string_view(text, size);
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

bool Caller::MayUseEveryKey() const {
  if (user_.empty()) return true;
  RedisModuleCallReply* reply =
      RedisModule_Call(EffectsContext::raw(), "ACL", "cb", "GETUSER", user_.data(), user_.size());
  if (reply == nullptr) return false;
  bool every = false;
  // Names and values in turn.
  const bool pairs = RedisModule_CallReplyType(reply) == REDISMODULE_REPLY_ARRAY;
  for (size_t i = 0; pairs && i + 1 < RedisModule_CallReplyLength(reply); i += 2) {
    every = every || (ElementText(reply, i) == "keys" && ElementText(reply, i + 1) == "~*");
  }
  RedisModule_FreeCallReply(reply);
  return every;
}

}  // namespace redoubt::host
