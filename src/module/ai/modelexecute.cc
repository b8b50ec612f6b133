// AI.MODELEXECUTE key INPUTS n input ... OUTPUTS m output ... [TIMEOUT ms]
#include "module/ai/commands.h"
#include "module/ai/execute_model.h"

namespace redoubt::ai {

base::Status ModelExecute(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 8) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  return ExecuteModel(ai, ctx, args, &ParseModelExecute);
}

std::vector<host::KeyPosition> ModelExecuteKeys(const host::Args& args) {
  return ExecuteKeys(args, &ParseModelExecute);
}

}  // namespace redoubt::ai
