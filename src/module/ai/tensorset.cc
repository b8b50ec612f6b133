// AI.TENSORSET key type [dim ...] [BLOB data | VALUES value ...]
#include "module/ai/tensorset.h"

#include <fmt/core.h>

#include <limits>
#include <utility>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/tensor_arguments.h"
#include "module/host/memory_use.h"

namespace redoubt::ai {
namespace {

// Zeros arrive as a few bytes and may take gigabytes, which the server's own check before the command cannot know.
constexpr size_t kCheckAboveBytes = size_t{1} << 20;

base::Status CheckRoomForZeros(host::Context& ctx, const TensorArguments& parsed) {
  if (parsed.form != TensorArguments::Form::kZeros || parsed.byte_size < kCheckAboveBytes) return base::OkStatus();
  const host::MemoryUse memory = host::ReadMemoryUse(ctx);
  if (memory.limit != 0 && memory.used + parsed.byte_size > memory.limit) {
    return base::ResourceExhausted(
        fmt::format("OOM a tensor of {} bytes does not fit: used memory {} of 'maxmemory' {}", parsed.byte_size,
                    memory.used, memory.limit));
  }
  return base::OkStatus();
}

}  // namespace

base::Result<std::shared_ptr<tensor::Tensor>> TensorOfTensorSet(AiModule& ai, host::Context& ctx,
                                                                const host::Args& args) {
  const bool obey = ctx.MustObey();
  TensorLimits limits = {static_cast<size_t>(ai.settings().tensor_max_bytes), ai.settings().compat_redisai};
  if (obey) limits = {std::numeric_limits<size_t>::max(), false, true};
  ASSIGN_OR_RETURN(const TensorArguments parsed, ParseTensorArguments(args, limits));
  if (!obey) RETURN_IF_ERROR(CheckRoomForZeros(ctx, parsed));
  return MakeTensor(args, parsed, limits, ai.memory());
}

base::Status TensorSet(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  host::Key key = host::Key::ForWrite(ctx, args.raw(1));
  if (!key.empty() && !HoldsTensor(key)) return base::InvalidArgument(host::kWrongType);
  ASSIGN_OR_RETURN(auto tensor, TensorOfTensorSet(ai, ctx, args));
  SetTensor(key, std::move(tensor));
  RedisModule_NotifyKeyspaceEvent(ctx.raw(), REDISMODULE_NOTIFY_MODULE, "ai.tensorset", args.raw(1));
  ctx.ReplyOk();
  ctx.ReplicateVerbatim();
  return base::OkStatus();
}

}  // namespace redoubt::ai
