#include <fmt/core.h>

#include "module/ft/ft_module.h"
#include "module/host/acl.h"
#include "module/host/key.h"

namespace redoubt::ft {
namespace {

// All or none: a user who may not delete one of the documents deletes none.
base::Status CheckMayDelete(const host::Caller& caller, const std::vector<std::string>& keys) {
  if (caller.user().empty()) return base::OkStatus();  // from the primary, the AOF or another module
  for (const std::string& key : keys) {
    if (caller.MayUseKey(host::String(key).raw(), REDISMODULE_CMD_KEY_DELETE)) continue;
    return base::PermissionDenied(fmt::format("NOPERM user {} may not delete the key '{}'", caller.user(), key));
  }
  return base::OkStatus();
}

// Replicas get the deletions one by one: their own index may not have seen the same documents yet.
void DeleteDocuments(host::Context& ctx, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    RedisModuleCallReply* reply = RedisModule_Call(ctx.raw(), "DEL", "!b", key.data(), key.size());
    if (reply != nullptr) RedisModule_FreeCallReply(reply);
  }
}

}  // namespace

base::Status FtDropIndex(FtModule& ft, host::Context& ctx, host::Args args) {
  bool with_documents = args.size() == 3 && args.Is(2, "DD");
  if (args.size() < 2 || args.size() > 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  if (args.size() == 3 && !with_documents) {
    return ReplyFtError(ctx, base::InvalidArgument(fmt::format("Unknown argument `{}`: DD is the only one", args[2])));
  }
  if (ft.SpreadDefinition(ctx, args)) return base::OkStatus();
  std::shared_ptr<IndexEntry> entry = ft.indexes().Find(args[1]);
  if (entry == nullptr && search::EqualsIgnoringCase(args[0], "FT._DROPINDEXIFX")) {
    ctx.ReplyOk();
    return base::OkStatus();
  }
  if (entry == nullptr) return ReplyFtError(ctx, base::NotFound("Unknown Index name"));
  std::vector<std::string> keys;
  if (with_documents) keys = entry->live->Keys();
  if (base::Status allowed = CheckMayDelete(ft.CallerOf(ctx), keys); !allowed.ok()) return ReplyFtError(ctx, allowed);
  ft.DropIndex(entry->definition().name);
  DeleteDocuments(ctx, keys);
  RedisModule_Replicate(ctx.raw(), "FT.DROPINDEX", "s", args.raw(1));
  ctx.ReplyOk();
  return base::OkStatus();
}

}  // namespace redoubt::ft
