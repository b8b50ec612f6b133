// AI.TENSORGET key [META] [BLOB | VALUES]
#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/tensor_reply.h"

namespace redoubt::ai {

base::Status TensorGet(AiModule& /*ai*/, host::Context& ctx, host::Args args) {
  if (args.size() < 2 || args.size() > 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(const auto tensor, ReadTensor(ctx, args.raw(1)));
  ASSIGN_OR_RETURN(const TensorParts parts, ParseTensorParts(args));
  ReplyTensor(ctx, *tensor, parts);
  return base::OkStatus();
}

}  // namespace redoubt::ai
