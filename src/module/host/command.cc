#include "module/host/command.h"

#include <fmt/core.h>

#include <cstring>
#include <string>

#include "module/host/newer_api.h"

namespace redoubt::host {
namespace internal {

void ReplyFailure(Context& ctx, const base::Status& status) {
  if (status.code() == base::StatusCode::kResourceExhausted && status.message().starts_with("no memory")) {
    ctx.ReplyError("OOM " + status.message());
    return;
  }
  ctx.ReplyError(ErrorLine(status.message()));
}

void ReplyException(Context& ctx, const char* what) { ctx.ReplyError(ErrorLine(what)); }

}  // namespace internal

namespace {

void SetInfo(RedisModuleCommand* handle, const Command& command) {
  RedisModuleCommandKeySpec specs[2];
  std::memset(specs, 0, sizeof specs);
  RedisModuleCommandInfo info;
  std::memset(&info, 0, sizeof info);
  info.version = REDISMODULE_COMMAND_INFO_VERSION;
  info.summary = command.summary;
  info.complexity = command.complexity;
  info.since = command.since;
  info.arity = command.arity != 0 ? command.arity : -1;
  const bool asks_the_handler = std::strstr(command.flags, "getkeys-api") != nullptr;
  if (command.first_key > 0) {
    specs[0].flags = static_cast<uint64_t>(command.key_flags);
    // With a handler that names the keys, the fixed ones are not all of them.
    if (asks_the_handler) specs[0].flags |= REDISMODULE_CMD_KEY_INCOMPLETE;
    specs[0].begin_search_type = REDISMODULE_KSPEC_BS_INDEX;
    specs[0].bs.index.pos = command.first_key;
    specs[0].find_keys_type = REDISMODULE_KSPEC_FK_RANGE;
    specs[0].fk.range.lastkey = command.last_key < 0 ? command.last_key : command.last_key - command.first_key;
    specs[0].fk.range.keystep = command.key_step;
    info.key_specs = specs;
  }
  RedisModule_SetCommandInfo(handle, &info);
}

}  // namespace

void AddAclCategory(Context& ctx, const char* name) {
  const NewerApi newer = LookUpNewerApi();
  if (newer.AddACLCategory != nullptr) newer.AddACLCategory(ctx.raw(), name);
}

base::Status RegisterCommand(Context& ctx, const Command& command) {
  if (RedisModule_CreateCommand(ctx.raw(), command.name, command.function, command.flags, command.first_key,
                                command.last_key, command.key_step) != REDISMODULE_OK) {
    return base::AlreadyExists(fmt::format("command {} cannot be registered: another module has it", command.name));
  }
  RedisModuleCommand* handle = RedisModule_GetCommand(ctx.raw(), command.name);
  if (handle == nullptr) return base::OkStatus();
  SetInfo(handle, command);
  const NewerApi newer = LookUpNewerApi();
  if (newer.SetCommandACLCategories != nullptr && command.acl_categories != nullptr) {
    newer.SetCommandACLCategories(handle, command.acl_categories);
  }
  return base::OkStatus();
}

}  // namespace redoubt::host
