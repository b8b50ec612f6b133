#include "module/host/acl.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "module/host/blocked_client.h"
#include "module/host/key.h"
#include "module/host/key_rules.h"

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

// Adds the key rules in an array of names and values in turn, and those of the selectors in it.
void AddKeyRules(RedisModuleCallReply* pairs, std::string& rules) {
  if (pairs == nullptr || RedisModule_CallReplyType(pairs) != REDISMODULE_REPLY_ARRAY) return;
  for (size_t i = 0; i + 1 < RedisModule_CallReplyLength(pairs); i += 2) {
    const std::string_view name = ElementText(pairs, i);
    if (name == "keys") rules.append(" ").append(ElementText(pairs, i + 1));
    if (name != "selectors") continue;
    RedisModuleCallReply* selectors = RedisModule_CallReplyArrayElement(pairs, i + 1);
    const bool are_many = selectors != nullptr && RedisModule_CallReplyType(selectors) == REDISMODULE_REPLY_ARRAY;
    for (size_t s = 0; are_many && s < RedisModule_CallReplyLength(selectors); ++s) {
      AddKeyRules(RedisModule_CallReplyArrayElement(selectors, s), rules);
    }
  }
}

std::string AskRules(const std::string& user) {
  std::string rules;
  RedisModuleCallReply* reply =
      RedisModule_Call(EffectsContext::raw(), "ACL", "cb", "GETUSER", user.data(), user.size());
  if (reply == nullptr) return rules;
  AddKeyRules(reply, rules);
  RedisModule_FreeCallReply(reply);
  return rules;
}

// To ask for every search would cost more than many a search does.
const std::string& RulesOf(const std::string& user) {
  struct Known {
    std::string rules;
    int64_t asked_at_us = 0;
  };
  constexpr int64_t kTrustedForUs = 100'000;
  constexpr size_t kMostUsers = 1000;
  static auto* users = new std::unordered_map<std::string, Known>;  // never destroyed: the server calls until the end
  const int64_t now = base::SystemClock().SteadyMicros();
  if (users->size() >= kMostUsers) users->clear();
  Known& known = (*users)[user];
  if (known.asked_at_us == 0 || now - known.asked_at_us > kTrustedForUs) known = {AskRules(user), now};
  return known.rules;
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

bool Caller::MayReadAllUnder(std::span<const std::string> prefixes) const {
  if (user_.empty()) return true;
  const auto may_read_one = [this](const std::string& prefix) {
    return MayUseKey(String(prefix + "(any)").raw(), REDISMODULE_CMD_KEY_ACCESS);
  };
  if (!std::all_of(prefixes.begin(), prefixes.end(), may_read_one)) return false;
  const std::string& rules = RulesOf(user_);
  return std::all_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return RulesCoverPrefix(rules, prefix); });
}

bool Caller::MayReadEveryKey() const {
  const std::string every;
  return MayReadAllUnder({&every, 1});
}

}  // namespace redoubt::host
