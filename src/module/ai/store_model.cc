#include "module/ai/store_model.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "module/ai/data_types.h"
#include "module/ai/model_file.h"
#include "module/ai/store_completion.h"

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

class ModelStoreCompletion final : public StoreCompletion {
 public:
  ModelStoreCompletion(AiModule& ai, host::Context& ctx, const host::Args& args, ModelArguments parsed)
      : StoreCompletion(ai, ctx, args),
        from_file_(parsed.from_file),
        directory_(ai.settings().model_directory),
        source_(std::make_shared<ModelSource>(std::move(parsed.source))) {
    for (size_t i = parsed.first_chunk; i < args.size(); ++i) chunks_.push_back(args[i]);
  }

  // On the loader's thread; the words' bytes stay where they are while we hold them.
  void Start(host::BlockedClient* blocked) {
    base::Result<base::Buffer> blob = ReadBlob();
    if (!blob.ok()) {
      Fail(blob.status());
      blocked->Unblock();
      return;
    }
    source_->blob = std::move(*blob);
    model_ = MakeModel(source_, ai_.loader());
    model_.slot->WhenBuilt([this, blocked] {
      const base::Status built = model_.slot->Get().status();
      if (!built.ok()) FailBuild(built, source_->backend);
      blocked->Unblock();
    });
  }

 protected:
  bool MayReplace(const host::Key& key) const override { return HoldsModel(key); }
  void Put(host::Context& effects, host::Key& key, RedisModuleString* name) override {
    PutModel(ai_, effects, key, name, std::move(model_));
  }

  // A file is sent by its bytes, because it may not be where the replica is.
  std::vector<host::String> WordsForReplicas() const override {
    std::vector<host::String> words = StoreCompletion::WordsForReplicas();
    if (!from_file_) return words;
    words.resize(words.size() - 2);
    words.emplace_back("BLOB");
    const std::span<const std::byte> blob = source_->blob.span();
    const size_t chunk = static_cast<size_t>(ai_.settings().model_chunk_size);
    for (size_t at = 0; at < blob.size(); at += chunk) {
      const std::span<const std::byte> piece = blob.subspan(at, std::min(chunk, blob.size() - at));
      words.emplace_back(std::string_view(reinterpret_cast<const char*>(piece.data()), piece.size()));
    }
    return words;
  }

 private:
  base::Result<base::Buffer> ReadBlob() {
    if (from_file_) return ReadModelFile(directory_, std::string(chunks_[0]), ai_.memory());
    base::Result<base::Buffer> blob = Join(chunks_, ai_.memory());
    if (!blob.ok()) return base::ResourceExhausted("OOM " + blob.status().message());
    return blob;
  }

  std::vector<std::string_view> chunks_;  // within words_
  const bool from_file_;
  const std::string directory_;
  std::shared_ptr<ModelSource> source_;
  ModelValue model_;
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
        "configuration file");
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
  ai.ShareMemory(ctx);
  if (!ctx.CanBlock()) return StoreAtOnce(ai, ctx, args, std::move(parsed));
  auto completion = std::make_unique<ModelStoreCompletion>(ai, ctx, args, std::move(parsed));
  ModelStoreCompletion* work = completion.get();
  host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
  ai.loader().Run([work, blocked] { work->Start(blocked); });
  return base::OkStatus();
}

}  // namespace redoubt::ai
