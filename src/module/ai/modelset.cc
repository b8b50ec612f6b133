// AI.MODELSET key backend device [TAG tag] [BATCHSIZE n [MINBATCHSIZE m [MINBATCHTIMEOUT ms]]]
//   [INPUTS name ... OUTPUTS name ...] BLOB chunk [chunk ...]      (the old form of AI.MODELSTORE)
#include "module/ai/commands.h"
#include "module/ai/model_arguments.h"
#include "module/ai/store_model.h"

namespace redoubt::ai {

base::Status ModelSet(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(ModelArguments parsed, ParseModelSet(args));
  return StoreModel(ai, ctx, args, std::move(parsed));
}

}  // namespace redoubt::ai
