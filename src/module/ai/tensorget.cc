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
  const host::Key key = host::Key::ForRead(ctx, args.raw(1));
  if (key.empty()) return base::NotFound(kNoTensor);
  const std::shared_ptr<const tensor::Tensor> tensor = TensorAt(key);
  if (tensor == nullptr) return base::InvalidArgument(host::kWrongType);
  ASSIGN_OR_RETURN(const TensorParts parts, ParseTensorParts(args));
  ReplyTensor(ctx, *tensor, parts);
  return base::OkStatus();
}

}  // namespace redoubt::ai
