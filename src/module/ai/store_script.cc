#include "module/ai/store_script.h"

#include <fmt/core.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "module/ai/script_type.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

void PutScript(AiModule& ai, host::Context& ctx, host::Key& key, RedisModuleString* name, ScriptValue script) {
  SetScript(key, std::move(script));
  ai.script_names().Note(ctx.db(), host::View(name));
  RedisModule_NotifyKeyspaceEvent(ctx.raw(), REDISMODULE_NOTIFY_MODULE, "ai.scriptstore", name);
}

// The wire text for a script that does not compile: the compiler's words as they are.
std::string CompileError(const base::Status& status) {
  if (status.code() == base::StatusCode::kUnavailable || status.code() == base::StatusCode::kNotFound ||
      status.code() == base::StatusCode::kPermissionDenied) {
    return fmt::format("ERR Could not load backend TORCH: {}", status.message());
  }
  return status.message();
}

class StoreCompletion final : public host::Completion {
 public:
  StoreCompletion(AiModule& ai, host::Context& ctx, const host::Args& args, ScriptValue script)
      : ai_(ai), caller_(host::Caller::Of(ctx)), script_(std::move(script)) {
    for (size_t i = 0; i < args.size(); ++i) words_.push_back(host::String::Hold(args.raw(i)));
  }

  void AnswerWhenBuilt(host::BlockedClient* blocked) {
    script_.slot->WhenBuilt([this, blocked] {
      const base::Status built = script_.slot->Get().status();
      if (!built.ok()) result_ = base::Status(built.code(), CompileError(built));
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
    if (!key.empty() && !HoldsScript(key)) return base::InvalidArgument(host::kWrongType);
    PutScript(ai_, effects, key, name, std::move(script_));
    std::vector<RedisModuleString*> words;
    for (size_t i = 1; i < words_.size(); ++i) words.push_back(words_[i].raw());
    const std::string command(words_[0].view());
    RedisModule_Replicate(effects.raw(), command.c_str(), "v", words.data(), words.size());
    return base::OkStatus();
  }

  AiModule& ai_;
  host::Caller caller_;
  std::vector<host::String> words_;  // the whole command, for replicas and the AOF
  ScriptValue script_;
  base::Status result_;
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
  auto completion = std::make_unique<StoreCompletion>(ai, ctx, args, std::move(script));
  StoreCompletion* work = completion.get();
  work->AnswerWhenBuilt(host::BlockedClient::Block(ctx, std::move(completion)));
  return base::OkStatus();
}

}  // namespace redoubt::ai
