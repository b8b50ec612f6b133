// AI.TENSORGET key [META] [BLOB | VALUES]
#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/tensor_reply.h"

namespace redoubt::ai {
namespace {

struct Wanted {
  bool meta = false;
  bool blob = false;
  bool values = false;
};

base::Result<Wanted> ParseWanted(const host::Args& args) {
  Wanted wanted;
  for (size_t i = 2; i < args.size(); ++i) {
    if (args.Is(i, "META")) {
      wanted.meta = true;
    } else if (args.Is(i, "BLOB")) {
      wanted.blob = true;
    } else if (args.Is(i, "VALUES")) {
      wanted.values = true;
    } else {
      return base::InvalidArgument("ERR unsupported data format");
    }
  }
  if (wanted.blob && wanted.values) return base::InvalidArgument("ERR both BLOB and VALUES specified");
  if (args.size() == 2) wanted = {.meta = true, .blob = true, .values = false};
  return wanted;
}

void ReplyData(host::Context& ctx, const tensor::Tensor& tensor, const Wanted& wanted) {
  if (wanted.blob) {
    ctx.ReplyBytes(tensor.data());
  } else {
    ReplyTensorValues(ctx, tensor);
  }
}

}  // namespace

base::Status TensorGet(AiModule& /*ai*/, host::Context& ctx, host::Args args) {
  if (args.size() < 2 || args.size() > 4) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  const host::Key key = host::Key::ForRead(ctx, args.raw(1));
  if (key.empty()) return base::NotFound(kNoTensor);
  const std::shared_ptr<const tensor::Tensor> tensor = TensorAt(key);
  if (tensor == nullptr) return base::InvalidArgument(host::kWrongType);
  ASSIGN_OR_RETURN(const Wanted wanted, ParseWanted(args));
  const bool data = wanted.blob || wanted.values;
  if (!wanted.meta) {
    ReplyData(ctx, *tensor, wanted);
    return base::OkStatus();
  }
  ctx.ReplyArray(data ? 6 : 4);
  ctx.ReplyBulk("dtype");
  ctx.ReplyBulk(DTypeName(tensor->dtype()));
  ctx.ReplyBulk("shape");
  ReplyTensorShape(ctx, *tensor);
  if (data) {
    ctx.ReplyBulk(wanted.blob ? "blob" : "values");
    ReplyData(ctx, *tensor, wanted);
  }
  return base::OkStatus();
}

}  // namespace redoubt::ai
