// AI.INFO key [RESETSTAT]
#include "module/ai/commands.h"
#include "module/ai/data_types.h"

namespace redoubt::ai {

base::Status Info(AiModule& /*ai*/, host::Context& ctx, host::Args args) {
  if (args.size() != 2 && args.size() != 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  const host::Key key = host::Key::ForRead(ctx, args.raw(1));
  const ModelValue* model = ModelAt(key);
  if (model == nullptr) return base::NotFound("ERR cannot find run info for key");
  if (args.Is(2, "RESETSTAT")) {
    *model->stats = RunStats{};
    ctx.ReplyOk();
    return base::OkStatus();
  }
  const RunStats& stats = *model->stats;
  ctx.ReplyArray(18);
  ctx.ReplyBulk("key");
  ctx.ReplyBulk(args[1]);
  ctx.ReplyBulk("type");
  ctx.ReplyBulk("MODEL");
  ctx.ReplyBulk("backend");
  ctx.ReplyBulk(model->source->backend);
  ctx.ReplyBulk("device");
  ctx.ReplyBulk(model->source->device);
  ctx.ReplyBulk("tag");
  ctx.ReplyBulk(model->source->tag);
  ctx.ReplyBulk("duration");
  ctx.ReplyInteger(static_cast<int64_t>(stats.duration_us));
  ctx.ReplyBulk("samples");
  ctx.ReplyInteger(static_cast<int64_t>(stats.samples));
  ctx.ReplyBulk("calls");
  ctx.ReplyInteger(static_cast<int64_t>(stats.calls));
  ctx.ReplyBulk("errors");
  ctx.ReplyInteger(static_cast<int64_t>(stats.errors));
  return base::OkStatus();
}

}  // namespace redoubt::ai
