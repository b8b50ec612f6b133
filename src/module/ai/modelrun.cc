// AI.MODELRUN key [TIMEOUT ms] INPUTS input ... OUTPUTS output ...      (the old form of AI.MODELEXECUTE)
#include "module/ai/commands.h"
#include "module/ai/execute_model.h"

namespace redoubt::ai {

base::Status ModelRun(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 6) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  return ExecuteModel(ai, ctx, args, &ParseModelRun);
}

std::vector<host::KeyPosition> ModelRunKeys(const host::Args& args) { return ExecuteKeys(args, &ParseModelRun); }

}  // namespace redoubt::ai
