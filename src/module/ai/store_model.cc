#include "module/ai/store_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "module/ai/data_types.h"
#include "module/ai/model_file.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

base::Result<base::Buffer> Join(std::span<const std::string_view> chunks, base::MemoryResource& memory) {
  size_t total = 0;
  for (std::string_view chunk : chunks) total += chunk.size();
  ASSIGN_OR_RETURN(base::Buffer blob, base::Buffer::Create(total, memory));
  size_t at = 0;
  for (std::string_view chunk : chunks) {
    if (!chunk.empty()) std::memcpy(blob.data() + at, chunk.data(), chunk.size());
    at += chunk.size();
  }
  return blob;
}

void PutModel(AiModule& ai, host::Context& ctx, host::Key& key, RedisModuleString* name, ModelValue model) {
  SetModel(key, std::move(model));
  ai.model_names().Note(ctx.db(), host::View(name));
  RedisModule_NotifyKeyspaceEvent(ctx.raw(), REDISMODULE_NOTIFY_MODULE, "ai.modelstore", name);
  ++ai.counters().models_stored;
}

// The wire text for a session that could not be built: the vendor's words as they are.
std::string BuildError(const base::Status& status, const std::string& backend) {
  if (status.code() == base::StatusCode::kUnavailable || status.code() == base::StatusCode::kNotFound ||
      status.code() == base::StatusCode::kPermissionDenied) {
    return fmt::format("ERR Could not load backend {}: {}", backend, status.message());
  }
  return status.message();
}

class StoreCompletion final : public host::Completion {
 public:
  StoreCompletion(AiModule& ai, host::Context& ctx, const host::Args& args, ModelArguments parsed)
      : ai_(ai),
        caller_(host::Caller::Of(ctx)),
        from_file_(parsed.from_file),
        directory_(ai.settings().model_directory),
        source_(std::make_shared<ModelSource>(std::move(parsed.source))) {
    for (size_t i = 0; i < args.size(); ++i) words_.push_back(host::String::Hold(args.raw(i)));
    for (size_t i = parsed.first_chunk; i < args.size(); ++i) chunks_.push_back(args[i]);
  }

  // On the loader's thread; the words' bytes stay where they are while we hold them.
  void Start(host::BlockedClient* blocked) {
    base::Result<base::Buffer> blob = ReadBlob();
    if (!blob.ok()) {
      result_ = blob.status();
      blocked->Unblock();
      return;
    }
    source_->blob = std::move(*blob);
    model_ = MakeModel(source_, ai_.loader());
    model_.slot->WhenBuilt([this, blocked] {
      const base::Status built = model_.slot->Get().status();
      if (!built.ok()) result_ = base::Status(built.code(), BuildError(built, source_->backend));
      blocked->Unblock();
    });
  }

  void Apply(host::Context& effects) override {
    if (result_.ok()) result_ = Store(effects);
    if (!result_.ok()) ++ai_.counters().store_errors;
  }

  void Reply(host::Context& ctx) override {
    if (result_.ok()) {
      ctx.ReplyOk();
    } else {
      ctx.ReplyError(result_.message());
    }
  }

 private:
  base::Status Store(host::Context& effects) {
    RETURN_IF_ERROR(host::CheckWorld(effects));
    RedisModuleString* name = words_[1].raw();
    RETURN_IF_ERROR(host::CheckKeyInWorld(effects, caller_, name, REDISMODULE_CMD_KEY_UPDATE));
    host::Key key = host::Key::ForWrite(effects, name);
    if (!key.empty() && !HoldsModel(key)) return base::InvalidArgument(host::kWrongType);
    PutModel(ai_, effects, key, name, std::move(model_));
    Replicate(effects);
    return base::OkStatus();
  }

  base::Result<base::Buffer> ReadBlob() {
    if (from_file_) return ReadModelFile(directory_, std::string(chunks_[0]), ai_.memory());
    base::Result<base::Buffer> blob = Join(chunks_, ai_.memory());
    if (!blob.ok()) return base::ResourceExhausted("OOM " + blob.status().message());
    return blob;
  }

  // The command as it came; a file is sent by its bytes, because it may not be where the replica is.
  void Replicate(host::Context& effects) {
    std::vector<RedisModuleString*> words;
    std::vector<host::String> pieces;
    const size_t end = from_file_ ? words_.size() - 2 : words_.size();
    for (size_t i = 1; i < end; ++i) words.push_back(words_[i].raw());
    if (from_file_) {
      pieces.emplace_back("BLOB");
      const std::span<const std::byte> blob = source_->blob.span();
      const size_t chunk = static_cast<size_t>(ai_.settings().model_chunk_size);
      for (size_t at = 0; at < blob.size(); at += chunk) {
        const std::span<const std::byte> piece = blob.subspan(at, std::min(chunk, blob.size() - at));
        pieces.emplace_back(std::string_view(reinterpret_cast<const char*>(piece.data()), piece.size()));
      }
    }
    for (const host::String& piece : pieces) words.push_back(piece.raw());
    const std::string command(words_[0].view());
    RedisModule_Replicate(effects.raw(), command.c_str(), "v", words.data(), words.size());
  }

  AiModule& ai_;
  host::Caller caller_;
  std::vector<host::String> words_;  // the whole command, for replicas and the AOF
  std::vector<std::string_view> chunks_;
  const bool from_file_;
  const std::string directory_;
  std::shared_ptr<ModelSource> source_;
  ModelValue model_;
  base::Status result_;
};

base::Status StoreAtOnce(AiModule& ai, host::Context& ctx, const host::Args& args, ModelArguments parsed) {
  std::vector<std::string_view> chunks;
  for (size_t i = parsed.first_chunk; i < args.size(); ++i) chunks.push_back(args[i]);
  auto source = std::make_shared<ModelSource>(std::move(parsed.source));
  ASSIGN_OR_RETURN(source->blob, Join(chunks, ai.memory()));
  host::Key key = host::Key::ForWrite(ctx, args.raw(1));
  PutModel(ai, ctx, key, args.raw(1), MakeModel(std::move(source), ai.loader()));
  ctx.ReplyOk();
  ctx.ReplicateVerbatim();
  return base::OkStatus();
}

base::Status CheckFileAllowed(AiModule& ai, host::Context& ctx) {
  if (ai.settings().model_directory.empty()) {
    return base::FailedPrecondition(
        "ERR FILE is switched off: name the directory of the models by ai.model-directory in the server's "
        "configuration "
        "file");
  }
  if (!ctx.CanBlock()) {
    return base::FailedPrecondition("ERR FILE cannot be used within a transaction or a LUA script, give the BLOB");
  }
  return base::OkStatus();
}

}  // namespace

base::Status StoreModel(AiModule& ai, host::Context& ctx, const host::Args& args, ModelArguments parsed) {
  {
    const host::Key key = host::Key::ForRead(ctx, args.raw(1));
    if (!key.empty() && !HoldsModel(key)) return base::InvalidArgument(host::kWrongType);
  }
  if (parsed.from_file) RETURN_IF_ERROR(CheckFileAllowed(ai, ctx));
  if (!ctx.CanBlock()) return StoreAtOnce(ai, ctx, args, std::move(parsed));
  auto completion = std::make_unique<StoreCompletion>(ai, ctx, args, std::move(parsed));
  StoreCompletion* work = completion.get();
  host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
  ai.loader().Run([work, blocked] { work->Start(blocked); });
  return base::OkStatus();
}

}  // namespace redoubt::ai
