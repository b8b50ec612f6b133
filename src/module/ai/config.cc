// AI.CONFIG BACKENDSPATH path | LOADBACKEND backend path | MODEL_CHUNK_SIZE n | GET BACKENDSPATH|MODEL_CHUNK_SIZE
#include <memory>
#include <string>
#include <utility>

#include "module/ai/commands.h"
#include "module/host/blocked_client.h"

namespace redoubt::ai {
namespace {

base::Status Get(AiModule& ai, host::Context& ctx, const host::Args& args) {
  if (args.Is(2, "BACKENDSPATH")) {
    ctx.ReplyBulk(ai.registry().directory());
  } else if (args.Is(2, "MODEL_CHUNK_SIZE")) {
    ctx.ReplyInteger(ai.settings().model_chunk_size);
  } else {
    ctx.ReplyNull();
  }
  return base::OkStatus();
}

// Opening a vendor's library takes tens of milliseconds: on the loader's thread, while the client waits.
class LoadCompletion final : public host::Completion {
 public:
  LoadCompletion(AiModule& ai, std::string backend, std::string path)
      : ai_(ai), backend_(std::move(backend)), path_(std::move(path)) {}
  void Load() {
    result_ = ai_.registry().LoadFrom(backend_, path_);
    if (!result_.ok()) ai_.logger().Warning("the backend {} is not loaded: {}", backend_, result_.message());
  }
  void Reply(host::Context& ctx) override {
    if (result_.ok()) {
      ctx.ReplyOk();
    } else {
      const std::string text = "ERR error loading backend";
      ctx.ReplyError(ai_.settings().compat_redisai ? text : text + ": " + result_.message());
    }
  }

 private:
  AiModule& ai_;
  std::string backend_;
  std::string path_;
  base::Status result_;
};

base::Status LoadBackend(AiModule& ai, host::Context& ctx, const host::Args& args) {
  if (!infer::BackendRegistry::IsKnown(args[2])) return base::InvalidArgument("ERR unsupported backend");
  auto completion = std::make_unique<LoadCompletion>(ai, std::string(args[2]), std::string(args[3]));
  LoadCompletion* work = completion.get();
  if (!ctx.CanBlock()) {
    work->Load();
    work->Reply(ctx);
    return base::OkStatus();
  }
  host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
  ai.loader().Run([work, blocked] {
    work->Load();
    blocked->Unblock();
  });
  return base::OkStatus();
}

base::Status SetChunkSize(AiModule& ai, host::Context& ctx, const host::Args& args) {
  if (args.size() < 3) return base::InvalidArgument("ERR MODEL_CHUNK_SIZE: missing chunk size");
  const std::optional<int64_t> size = args.Integer(2);
  if (!size || *size <= 0) return base::InvalidArgument("ERR MODEL_CHUNK_SIZE: invalid chunk size");
  ai.settings().model_chunk_size = *size;
  ctx.ReplyOk();
  return base::OkStatus();
}

}  // namespace

base::Status Config(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.Is(1, "GET") && args.size() == 3) return Get(ai, ctx, args);
  if (args.Is(1, "LOADBACKEND") && args.size() == 4) return LoadBackend(ai, ctx, args);
  if (args.Is(1, "BACKENDSPATH")) {
    if (args.size() < 3) return base::InvalidArgument("ERR BACKENDSPATH: missing path argument");
    ai.registry().SetDirectory(std::string(args[2]));
    ctx.ReplyOk();
    return base::OkStatus();
  }
  if (args.Is(1, "MODEL_CHUNK_SIZE")) return SetChunkSize(ai, ctx, args);
  if (args.size() < 2 || args.Is(1, "GET") || args.Is(1, "LOADBACKEND")) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  return base::InvalidArgument("ERR unsupported subcommand");
}

}  // namespace redoubt::ai
