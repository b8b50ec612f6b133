#include "module/ai/store_script.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "module/ai/script_type.h"
#include "module/ai/store_completion.h"

namespace redoubt::ai {
namespace {

void PutScript(AiModule& ai, host::Context& ctx, host::Key& key, RedisModuleString* name, ScriptValue script) {
  SetScript(key, std::move(script));
  ai.script_names().Note(ctx.db(), host::View(name));
  RedisModule_NotifyKeyspaceEvent(ctx.raw(), REDISMODULE_NOTIFY_MODULE, "ai.scriptstore", name);
}

class ScriptStoreCompletion final : public StoreCompletion {
 public:
  ScriptStoreCompletion(AiModule& ai, host::Context& ctx, const host::Args& args, ScriptValue script)
      : StoreCompletion(ai, ctx, args), script_(std::move(script)) {}

  void AnswerWhenBuilt(host::BlockedClient* blocked) {
    script_.slot->WhenBuilt([this, blocked] {
      const base::Status built = script_.slot->Get().status();
      if (!built.ok()) FailBuild(built, "TORCH");
      blocked->Unblock();
    });
  }

 protected:
  bool MayReplace(const host::Key& key) const override { return HoldsScript(key); }
  void Put(host::Context& effects, host::Key& key, RedisModuleString* name) override {
    PutScript(ai_, effects, key, name, std::move(script_));
  }

 private:
  ScriptValue script_;
};

}  // namespace

base::Status StoreScript(AiModule& ai, host::Context& ctx, const host::Args& args, ScriptSource parsed) {
  host::Key key = host::Key::ForWrite(ctx, args.raw(1));
  if (!key.empty() && !HoldsScript(key)) return base::InvalidArgument(host::kWrongType);
  ScriptValue script = MakeScript(std::make_shared<ScriptSource>(std::move(parsed)), ai.loader(), ai.registry());
  if (!ctx.CanBlock()) {
    PutScript(ai, ctx, key, args.raw(1), std::move(script));
    ctx.ReplyOk();
    ctx.ReplicateVerbatim();
    return base::OkStatus();
  }
  auto completion = std::make_unique<ScriptStoreCompletion>(ai, ctx, args, std::move(script));
  ScriptStoreCompletion* work = completion.get();
  work->AnswerWhenBuilt(host::BlockedClient::Block(ctx, std::move(completion)));
  return base::OkStatus();
}

}  // namespace redoubt::ai
