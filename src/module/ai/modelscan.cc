// AI._MODELSCAN
#include <string>
#include <utility>
#include <vector>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/host/key.h"

namespace redoubt::ai {

base::Status ModelScan(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() != 1) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  std::vector<std::pair<std::string, std::string>> models;
  for (const std::string& name : ai.model_names().In(ctx.db())) {
    const host::String key_name(name);
    const host::Key key = host::Key::ForRead(ctx, key_name.raw());
    if (const ModelValue* model = ModelAt(key)) {
      models.emplace_back(name, model->source->tag);
    } else {
      ai.model_names().Forget(ctx.db(), name);
    }
  }
  ctx.ReplyArray(models.size());
  for (const auto& [name, tag] : models) {
    ctx.ReplyArray(2);
    ctx.ReplyBulk(name);
    ctx.ReplyBulk(tag);
  }
  return base::OkStatus();
}

}  // namespace redoubt::ai
