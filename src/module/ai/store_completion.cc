#include "module/ai/store_completion.h"

#include <fmt/core.h>

#include <utility>

namespace redoubt::ai {

StoreCompletion::StoreCompletion(AiModule& ai, host::Context& ctx, const host::Args& args)
    : ai_(ai), caller_(host::Caller::Of(ctx)), exact_texts_(ai.settings().compat_redisai) {
  words_.reserve(args.size());
  for (size_t i = 0; i < args.size(); ++i) words_.push_back(host::String::Hold(args.raw(i)));
}

void StoreCompletion::FailBuild(const base::Status& why, const std::string& backend) {
  const bool no_backend = why.code() == base::StatusCode::kUnavailable || why.code() == base::StatusCode::kNotFound ||
                          why.code() == base::StatusCode::kPermissionDenied;
  if (!no_backend) return Fail(why);
  const std::string text = "ERR Could not load backend";
  if (exact_texts_) ai_.logger().Warning("the backend {} is not loaded: {}", backend, why.message());  // not said there
  Fail(base::Status(why.code(), exact_texts_ ? text : fmt::format("{} {}: {}", text, backend, why.message())));
}

void StoreCompletion::Apply(host::Context& effects) {
  if (result_.ok()) result_ = Store(effects);
  if (!result_.ok()) CountRefusal();
}

void StoreCompletion::Reply(host::Context& ctx) {
  if (result_.ok()) {
    ctx.ReplyOk();
  } else {
    ctx.ReplyError(result_.message());
  }
}

base::Status StoreCompletion::Store(host::Context& effects) {
  RETURN_IF_ERROR(host::CheckWorld(effects));
  RedisModuleString* name = words_[1].raw();
  RETURN_IF_ERROR(host::CheckKeyInWorld(effects, caller_, name, REDISMODULE_CMD_KEY_UPDATE));
  host::Key key = host::Key::ForWrite(effects, name);
  if (!key.empty() && !MayReplace(key)) return base::InvalidArgument(host::kWrongType);
  Put(effects, key, name);
  const std::vector<host::String> sent = WordsForReplicas();
  std::vector<RedisModuleString*> words;
  for (const host::String& word : sent) words.push_back(word.raw());
  const std::string command(words_[0].view());
  RedisModule_Replicate(effects.raw(), command.c_str(), "v", words.data(), words.size());
  return base::OkStatus();
}

std::vector<host::String> StoreCompletion::WordsForReplicas() const {
  std::vector<host::String> words;
  for (size_t i = 1; i < words_.size(); ++i) words.push_back(host::String::Hold(words_[i].raw()));
  return words;
}

}  // namespace redoubt::ai
