// AI._SCRIPTSCAN
#include <string>
#include <utility>
#include <vector>

#include "module/ai/commands.h"
#include "module/ai/script_type.h"

namespace redoubt::ai {

base::Status ScriptScan(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() != 1) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  std::vector<std::pair<std::string, std::string>> scripts;
  for (const std::string& name : ai.script_names().In(ctx.db())) {
    const host::String key_name(name);
    const host::Key key = host::Key::ForRead(ctx, key_name.raw());
    if (const ScriptValue* script = ScriptAt(key)) {
      scripts.emplace_back(name, script->source->tag);
    } else {
      ai.script_names().Forget(ctx.db(), name);
    }
  }
  ctx.ReplyArray(scripts.size());
  for (const auto& [name, tag] : scripts) {
    ctx.ReplyArray(2);
    ctx.ReplyBulk(name);
    ctx.ReplyBulk(tag);
  }
  return base::OkStatus();
}

}  // namespace redoubt::ai
