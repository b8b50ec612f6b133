// AI.SCRIPTDEL key
#include "module/ai/commands.h"
#include "module/ai/script_type.h"

namespace redoubt::ai {

base::Status ScriptDel(AiModule& /*ai*/, host::Context& ctx, host::Args args) {
  if (args.size() != 2) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  host::Key key = host::Key::ForWrite(ctx, args.raw(1));
  if (key.empty()) return base::NotFound(kNoScript);
  if (!HoldsScript(key)) return base::InvalidArgument(host::kWrongType);
  key.Delete();
  RedisModule_NotifyKeyspaceEvent(ctx.raw(), REDISMODULE_NOTIFY_GENERIC, "del", args.raw(1));
  ctx.ReplyOk();
  ctx.ReplicateVerbatim();
  return base::OkStatus();
}

}  // namespace redoubt::ai
