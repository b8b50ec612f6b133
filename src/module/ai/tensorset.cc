// AI.TENSORSET key type [dim ...] [BLOB data | VALUES value ...]
#include "module/ai/tensorset.h"

#include <fmt/core.h>

#include <limits>
#include <memory>
#include <utility>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/store_completion.h"
#include "module/ai/tensor_arguments.h"
#include "module/host/memory_use.h"

namespace redoubt::ai {
namespace {

// Zeros arrive as a few bytes and may take gigabytes, which the server's own check before the command cannot know.
constexpr size_t kCheckAboveBytes = size_t{1} << 20;

// Copying more than this on the main thread would be felt by other clients; below it the hop costs more than the copy.
constexpr size_t kCopyAsideBytes = size_t{4} << 20;

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

TensorLimits LimitsOf(AiModule& ai, bool obey) {
  if (obey) return {std::numeric_limits<size_t>::max(), false, true};
  return {static_cast<size_t>(ai.settings().tensor_max_bytes), ai.settings().compat_redisai};
}

base::Result<TensorArguments> ParseFor(host::Context& ctx, const host::Args& args, const TensorLimits& limits) {
  ASSIGN_OR_RETURN(TensorArguments parsed, ParseTensorArguments(args, limits));
  if (!ctx.MustObey()) RETURN_IF_ERROR(CheckRoomForZeros(ctx, parsed));
  return parsed;
}

void PutTensor(host::Context& ctx, host::Key& key, RedisModuleString* name, std::shared_ptr<tensor::Tensor> tensor) {
  SetTensor(key, std::move(tensor));
  RedisModule_NotifyKeyspaceEvent(ctx.raw(), REDISMODULE_NOTIFY_MODULE, "ai.tensorset", name);
}

// A tensor whose bytes are copied while the client waits and the server goes on.
class TensorStoreCompletion final : public StoreCompletion {
 public:
  TensorStoreCompletion(AiModule& ai, host::Context& ctx, const host::Args& args, TensorArguments parsed)
      : StoreCompletion(ai, ctx, args), parsed_(std::move(parsed)), blob_(words_[parsed_.data_at].view()) {}

  // On the reader's thread.
  void Start(host::BlockedClient* blocked) {
    auto tensor = MakeBlobTensor(parsed_, blob_, ai_.memory());
    if (tensor.ok()) {
      tensor_ = std::move(*tensor);
    } else {
      Fail(base::Status(tensor.status().code(), host::ErrorLine(tensor.status().message())));
    }
    blocked->Unblock();
  }

 protected:
  void CountRefusal() override {}
  bool MayReplace(const host::Key& key) const override { return HoldsTensor(key); }
  void Put(host::Context& effects, host::Key& key, RedisModuleString* name) override {
    PutTensor(effects, key, name, std::move(tensor_));
  }

 private:
  const TensorArguments parsed_;
  const std::string_view blob_;  // of words_, which keeps it
  std::shared_ptr<tensor::Tensor> tensor_;
};

}  // namespace

base::Result<std::shared_ptr<tensor::Tensor>> TensorOfTensorSet(AiModule& ai, host::Context& ctx,
                                                                const host::Args& args) {
  const TensorLimits limits = LimitsOf(ai, ctx.MustObey());
  ASSIGN_OR_RETURN(const TensorArguments parsed, ParseFor(ctx, args, limits));
  return MakeTensor(args, parsed, limits, ai.memory());
}

base::Status TensorSet(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 3) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  host::Key key = host::Key::ForWrite(ctx, args.raw(1));
  if (!key.empty() && !HoldsTensor(key)) return base::InvalidArgument(host::kWrongType);
  const TensorLimits limits = LimitsOf(ai, ctx.MustObey());
  ASSIGN_OR_RETURN(TensorArguments parsed, ParseFor(ctx, args, limits));
  if (parsed.form == TensorArguments::Form::kBlob && parsed.byte_size >= kCopyAsideBytes && ctx.CanBlock()) {
    auto completion = std::make_unique<TensorStoreCompletion>(ai, ctx, args, std::move(parsed));
    TensorStoreCompletion* work = completion.get();
    host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
    ai.reader().Run([work, blocked] { work->Start(blocked); });
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(auto tensor, MakeTensor(args, parsed, limits, ai.memory()));
  PutTensor(ctx, key, args.raw(1), std::move(tensor));
  ctx.ReplyOk();
  ctx.ReplicateVerbatim();
  return base::OkStatus();
}

}  // namespace redoubt::ai
