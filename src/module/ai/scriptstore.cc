// AI.SCRIPTSTORE key device [TAG tag] ENTRY_POINTS count function ... SOURCE text
#include "module/ai/commands.h"
#include "module/ai/script_arguments.h"
#include "module/ai/store_script.h"

namespace redoubt::ai {

base::Status ScriptStore(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 8) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(ScriptSource parsed, ParseScriptStore(args));
  return StoreScript(ai, ctx, args, std::move(parsed));
}

}  // namespace redoubt::ai
