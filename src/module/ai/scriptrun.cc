// AI.SCRIPTRUN key function [TIMEOUT ms] [INPUTS tensor ... [$ tensor ...]] [OUTPUTS tensor ...]
//   (the old form of AI.SCRIPTEXECUTE)
#include "module/ai/commands.h"
#include "module/ai/execute_script.h"

namespace redoubt::ai {

base::Status ScriptRun(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  return ExecuteScript(ai, ctx, args, &ParseScriptRun);
}

std::vector<host::KeyPosition> ScriptRunKeys(const host::Args& args) { return ScriptKeys(args, &ParseScriptRun); }

}  // namespace redoubt::ai
