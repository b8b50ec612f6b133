// AI.MODELSTORE key backend device [TAG tag] [BATCHSIZE n [MINBATCHSIZE m [MINBATCHTIMEOUT ms]]]
//   [INPUTS count name ...] [OUTPUTS count name ...] BLOB chunk [chunk ...]
#include "module/ai/commands.h"
#include "module/ai/model_arguments.h"
#include "module/ai/store_model.h"

namespace redoubt::ai {

base::Status ModelStore(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 6) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(ModelArguments parsed, ParseModelStore(args));
  return StoreModel(ai, ctx, args, std::move(parsed));
}

}  // namespace redoubt::ai
