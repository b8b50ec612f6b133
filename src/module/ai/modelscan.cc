// AI._MODELSCAN
#include <optional>
#include <string>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/scan_reply.h"

namespace redoubt::ai {

base::Status ModelScan(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() != 1) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ReplyScan(ctx, ai.model_names(), [](const host::Key& key) -> std::optional<std::string> {
    const ModelValue* model = ModelAt(key);
    if (model == nullptr) return std::nullopt;
    return model->source->tag;
  });
  return base::OkStatus();
}

}  // namespace redoubt::ai
