#include "module/ft/ft_module.h"
#include "module/ft/json_document.h"
#include "search/create_parser.h"

namespace redoubt::ft {
namespace {

std::string ConfigValue(host::Context& ctx, const char* name) {
  RedisModuleCallReply* reply = RedisModule_Call(ctx.raw(), "CONFIG", "cc", "GET", name);
  std::string value;
  if (reply != nullptr && RedisModule_CallReplyType(reply) == REDISMODULE_REPLY_ARRAY &&
      RedisModule_CallReplyLength(reply) == 2) {
    size_t size = 0;
    const char* text = RedisModule_CallReplyStringPtr(RedisModule_CallReplyArrayElement(reply, 1), &size);
    if (text != nullptr) value.assign(text, size);
  }
  if (reply != nullptr) RedisModule_FreeCallReply(reply);
  return value;
}

// An AOF that is rewritten as plain commands has no place for what belongs to no key (docs/adr).
void WarnAboutAof(FtModule& ft, host::Context& ctx) {
  bool lost = ConfigValue(ctx, "appendonly") == "yes" && ConfigValue(ctx, "aof-use-rdb-preamble") == "no";
  if (lost && !ft.definitions_lost_on_aof_rewrite) {
    ft.logger().Warning(
        "index definitions will be lost when the AOF is rewritten: set aof-use-rdb-preamble to yes, or create the "
        "indexes again after a restart");
  }
  ft.definitions_lost_on_aof_rewrite = lost;
}

}  // namespace

base::Status FtCreate(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  if (ft.SpreadDefinition(ctx, args)) return base::OkStatus();
  if (ctx.db() != 0) return ReplyFtError(ctx, base::FailedPrecondition("Cannot create index on db != 0"));
  base::Result<search::IndexDefinition> definition = search::ParseCreate(Words(args, 1));
  if (!definition.ok()) return ReplyFtError(ctx, definition.status());
  if (search::EqualsIgnoringCase(args[0], "FT._CREATEIFNX") && ft.indexes().FindByName(definition->name) != nullptr) {
    ctx.ReplyOk();
    return base::OkStatus();
  }
  if (definition->json && !HasJson(ctx)) {
    return ReplyFtError(ctx,
                        base::FailedPrecondition("ON JSON needs a server with JSON.GET: load RedisJSON or valkey-json "
                                                 "first, or keep the fields in hashes and use ON HASH"));
  }
  bool scan = !definition->skip_initial_scan;
  base::Status added = ft.AddIndex(std::move(*definition), scan);
  if (!added.ok()) return ReplyFtError(ctx, added);
  WarnAboutAof(ft, ctx);
  ctx.ReplicateVerbatim();
  ctx.ReplyOk();
  return base::OkStatus();
}

}  // namespace redoubt::ft
