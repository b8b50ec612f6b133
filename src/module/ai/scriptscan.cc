// AI._SCRIPTSCAN
#include <optional>
#include <string>

#include "module/ai/commands.h"
#include "module/ai/scan_reply.h"
#include "module/ai/script_type.h"

namespace redoubt::ai {

base::Status ScriptScan(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() != 1) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ReplyScan(ctx, ai.script_names(), [](const host::Key& key) -> std::optional<std::string> {
    const ScriptValue* script = ScriptAt(key);
    if (script == nullptr) return std::nullopt;
    return script->source->tag;
  });
  return base::OkStatus();
}

}  // namespace redoubt::ai
