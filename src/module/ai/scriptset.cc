// AI.SCRIPTSET key device [TAG tag] SOURCE text      (the old form of AI.SCRIPTSTORE)
#include "module/ai/commands.h"
#include "module/ai/script_arguments.h"
#include "module/ai/store_script.h"

namespace redoubt::ai {

base::Status ScriptSet(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() != 5 && args.size() != 7) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(ScriptSource parsed, ParseScriptSet(args));
  return StoreScript(ai, ctx, args, std::move(parsed));
}

}  // namespace redoubt::ai
