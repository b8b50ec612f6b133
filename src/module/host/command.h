#pragma once

#include <exception>
#include <new>
#include <vector>

#include "base/status.h"
#include "module/host/api.h"
#include "module/host/args.h"
#include "module/host/context.h"

namespace redoubt::host {

// The server calls plain functions that carry no state. OnLoad puts the one State object of each family of commands
// here (ai::AiModule, ft::FtModule) before it registers them; never destroyed, because modules with data types stay.
template <class State>
struct StateOf {
  static inline State* value = nullptr;
};

namespace internal {
template <class Handler>
struct HandlerTraits;
template <class State>
struct HandlerTraits<base::Status (*)(State&, Context&, Args)> {
  using StateType = State;
};
void ReplyFailure(Context& ctx, const base::Status& status);
void ReplyException(Context& ctx, const char* what);
}  // namespace internal

// The function to register for `base::Status Handler(State&, Context&, Args)`. A handler either replies and answers OK,
// or replies nothing and answers an error, whose message is sent by ErrorLine().
template <auto Handler>
int Entry(RedisModuleCtx* raw, RedisModuleString** argv, int argc) {
  Context ctx(raw);
  try {
    auto& state = *StateOf<typename internal::HandlerTraits<decltype(Handler)>::StateType>::value;
    const base::Status status = Handler(state, ctx, Args(argv, argc));
    if (!status.ok()) internal::ReplyFailure(ctx, status);
  } catch (const std::bad_alloc&) {
    internal::ReplyException(ctx, "OOM not enough memory for this command");
  } catch (const std::exception& e) {
    internal::ReplyException(ctx, e.what());
  }
  return REDISMODULE_OK;
}

// A key among a command's words, for commands whose keys stand at no fixed place.
struct KeyPosition {
  int index;
  int flags;  // REDISMODULE_CMD_KEY_*
};

// As Entry, for commands registered with "getkeys-api": `std::vector<KeyPosition> Keys(const Args&)` names the keys. It
// must find exactly those that the handler will use: ACL and cluster redirection rest on it.
template <auto Handler, auto Keys>
int EntryWithKeys(RedisModuleCtx* raw, RedisModuleString** argv, int argc) {
  if (RedisModule_IsKeysPositionRequest(raw) != 0) {
    for (const KeyPosition& key : Keys(Args(argv, argc))) RedisModule_KeyAtPosWithFlags(raw, key.index, key.flags);
    return REDISMODULE_OK;
  }
  return Entry<Handler>(raw, argv, argc);
}

// One row of a command table.
struct Command {
  const char* name;   // lower case, "ai.tensorset"
  const char* flags;  // of RM_CreateCommand: "write deny-oom"
  RedisModuleCmdFunc function;
  // Keys at fixed places; 0 0 0: none. Commands with "getkeys-api" give those that are at fixed places.
  int first_key = 0;
  int last_key = 0;
  int key_step = 0;
  int key_flags = 0;  // REDISMODULE_CMD_KEY_* of these keys
  // For COMMAND DOCS. `arity` as the server writes it: negative is "at least"; 0 lets the handler count.
  int arity = 0;
  const char* summary = nullptr;
  const char* complexity = nullptr;
  const char* since = nullptr;
  const char* acl_categories = nullptr;  // space separated; used where the server has ACL categories for modules
};

// Within OnLoad, before the commands that name it: a category for `ACL SETUSER ... +@<name>`. Does nothing where the
// server knows no categories of modules.
void AddAclCategory(Context& ctx, const char* name);

// Within OnLoad.
base::Status RegisterCommand(Context& ctx, const Command& command);

}  // namespace redoubt::host
