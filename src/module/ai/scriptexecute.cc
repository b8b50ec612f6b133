// AI.SCRIPTEXECUTE key function [KEYS n key ...] [INPUTS n tensor ...] [ARGS n word ...] [OUTPUTS n tensor ...]
//   [TIMEOUT ms]
#include "module/ai/commands.h"
#include "module/ai/execute_script.h"

namespace redoubt::ai {

base::Status ScriptExecute(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  return ExecuteScript(ai, ctx, args, &ParseScriptExecute);
}

std::vector<host::KeyPosition> ScriptExecuteKeys(const host::Args& args) {
  return ScriptKeys(args, &ParseScriptExecute);
}

}  // namespace redoubt::ai
