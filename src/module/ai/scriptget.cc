// AI.SCRIPTGET key [META] [SOURCE]
#include <string>

#include "module/ai/commands.h"
#include "module/ai/script_type.h"

namespace redoubt::ai {

base::Status ScriptGet(AiModule& /*ai*/, host::Context& ctx, host::Args args) {
  if (args.size() < 2 || args.size() > 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(const ScriptValue* value, ReadScript(ctx, args.raw(1)));
  bool meta = false;
  bool source = false;
  for (size_t i = 2; i < args.size(); ++i) {  // other words are ignored, as ever
    meta = meta || args.Is(i, "META");
    source = source || args.Is(i, "SOURCE");
  }
  if (!meta && source) {
    ctx.ReplyBulk(value->source->source);
    return base::OkStatus();
  }
  if (!meta) source = true;
  ctx.ReplyArray(source ? 8 : 6);
  ctx.ReplyBulk("device");
  ctx.ReplyBulk(value->source->device);
  ctx.ReplyBulk("tag");
  ctx.ReplyBulk(value->source->tag);
  ctx.ReplyBulk("Entry Points");
  ctx.ReplyArray(value->source->entry_points.size());
  for (const std::string& name : value->source->entry_points) ctx.ReplyBulk(name);
  if (source) {
    ctx.ReplyBulk("source");
    ctx.ReplyBulk(value->source->source);
  }
  return base::OkStatus();
}

}  // namespace redoubt::ai
