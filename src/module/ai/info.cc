// AI.INFO key [RESETSTAT]
#include <string>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/script_type.h"

namespace redoubt::ai {
namespace {

void ReplyStats(host::Context& ctx, const RunStats& stats, int64_t samples) {
  ctx.ReplyBulk("duration");
  ctx.ReplyInteger(static_cast<int64_t>(stats.duration_us));
  ctx.ReplyBulk("samples");
  ctx.ReplyInteger(samples);
  ctx.ReplyBulk("calls");
  ctx.ReplyInteger(static_cast<int64_t>(stats.calls));
  ctx.ReplyBulk("errors");
  ctx.ReplyInteger(static_cast<int64_t>(stats.errors));
}

void ReplyInfo(host::Context& ctx, std::string_view key, const ModelValue& model) {
  ctx.ReplyArray(18);
  ctx.ReplyBulk("key");
  ctx.ReplyBulk(key);
  ctx.ReplyBulk("type");
  ctx.ReplyBulk("MODEL");
  ctx.ReplyBulk("backend");
  ctx.ReplyBulk(model.source->backend);
  ctx.ReplyBulk("device");
  ctx.ReplyBulk(model.source->device);
  ctx.ReplyBulk("tag");
  ctx.ReplyBulk(model.source->tag);
  ReplyStats(ctx, *model.stats, static_cast<int64_t>(model.stats->samples));
}

void ReplyInfo(host::Context& ctx, std::string_view key, const ScriptValue& script) {
  ctx.ReplyArray(18);
  ctx.ReplyBulk("key");
  ctx.ReplyBulk(key);
  ctx.ReplyBulk("type");
  ctx.ReplyBulk("SCRIPT");
  ctx.ReplyBulk("backend");
  ctx.ReplyBulk("TORCH");
  ctx.ReplyBulk("device");
  ctx.ReplyBulk(script.source->device);
  ctx.ReplyBulk("tag");
  ctx.ReplyBulk(script.source->tag);
  ReplyStats(ctx, *script.stats, -1);
}

}  // namespace

base::Status Info(AiModule& /*ai*/, host::Context& ctx, host::Args args) {
  if (args.size() != 2 && args.size() != 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  const host::Key key = host::Key::ForRead(ctx, args.raw(1));
  const ModelValue* model = ModelAt(key);
  const ScriptValue* script = ScriptAt(key);
  if (model == nullptr && script == nullptr) return base::NotFound("ERR cannot find run info for key");
  if (args.Is(2, "RESETSTAT")) {
    *(model != nullptr ? model->stats : script->stats) = RunStats{};
    ctx.ReplyOk();
  } else if (model != nullptr) {
    ReplyInfo(ctx, args[1], *model);
  } else {
    ReplyInfo(ctx, args[1], *script);
  }
  return base::OkStatus();
}

}  // namespace redoubt::ai
