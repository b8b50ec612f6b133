#include "module/ai/execute_script.h"

#include <fmt/core.h>

#include <memory>
#include <string>
#include <utility>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/run_completion.h"
#include "module/ai/script_host.h"
#include "module/ai/script_type.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

std::vector<std::string> WordsIn(const host::Args& args, const WordRange& range) {
  std::vector<std::string> words;
  for (size_t i = 0; i < range.count; ++i) words.emplace_back(args[range.first + i]);
  return words;
}

base::Result<infer::ScriptCall> ReadCall(host::Context& ctx, const host::Args& args, const CallArguments& parsed) {
  infer::ScriptCall call = CallWithoutTensors(args, parsed);
  for (size_t i = 0; i < parsed.inputs.count; ++i) {
    ASSIGN_OR_RETURN(auto tensor, ReadTensor(ctx, args.raw(parsed.input_word(i))));
    call.tensors.push_back(std::move(tensor));
  }
  return call;
}

}  // namespace

infer::ScriptCall CallWithoutTensors(const host::Args& args, const CallArguments& parsed) {
  infer::ScriptCall call;
  call.function = std::string(args[2]);
  call.list_begin = parsed.list_begin;
  call.keys = WordsIn(args, parsed.keys);
  call.args = WordsIn(args, parsed.args);
  return call;
}

std::string ScriptCountMismatch(size_t outputs, size_t wanted) {
  if (wanted == 0 || outputs == wanted) return "";
  return fmt::format("ERR the function returned {} tensors, OUTPUTS names {} keys", outputs, wanted);
}

base::Status ExecuteScript(AiModule& ai, host::Context& ctx, const host::Args& args, ParseCall parse) {
  if (!ctx.CanBlock()) {
    return base::FailedPrecondition("ERR Cannot run RedisAI command within a transaction or a LUA script");
  }
  ASSIGN_OR_RETURN(const ScriptValue* script, ReadScript(ctx, args.raw(1)));
  ASSIGN_OR_RETURN(const CallArguments parsed, parse(args));
  ASSIGN_OR_RETURN(infer::ScriptCall call, ReadCall(ctx, args, parsed));
  std::vector<host::String> outputs;
  for (size_t i = 0; i < parsed.outputs.count; ++i) {
    outputs.push_back(host::String::Hold(args.raw(parsed.outputs.first + i)));
  }
  infer::RunRequest request;
  request.job =
      std::make_shared<infer::ScriptJob>(script->slot, std::move(call), std::make_shared<ServerScriptHost>(ctx));
  request.timeout_ms = parsed.timeout_ms;
  auto completion =
      std::make_unique<StoringCompletion>(ai, ctx, script->stats, std::move(outputs), &ScriptCountMismatch);
  return SubmitRun(ai, ctx, script->queue_device(), std::move(request), std::move(completion));
}

std::vector<host::KeyPosition> ScriptKeys(const host::Args& args, ParseCall parse) {
  constexpr int kRead = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS;
  constexpr int kAny = REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_ACCESS | REDISMODULE_CMD_KEY_UPDATE;
  constexpr int kWrite = REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_UPDATE;
  std::vector<host::KeyPosition> keys;
  if (args.size() < 2) return keys;
  keys.push_back({1, kRead});
  const base::Result<CallArguments> parsed = args.size() < 4 ? base::InvalidArgument("too few words") : parse(args);
  if (!parsed.ok()) return keys;  // the command itself will refuse the same words
  const auto add = [&keys](size_t word, int flags) { keys.push_back({static_cast<int>(word), flags}); };
  for (size_t i = 0; i < parsed->keys.count; ++i) add(parsed->keys.first + i, kAny);
  for (size_t i = 0; i < parsed->inputs.count; ++i) add(parsed->input_word(i), kRead);
  for (size_t i = 0; i < parsed->outputs.count; ++i) add(parsed->outputs.first + i, kWrite);
  return keys;
}

}  // namespace redoubt::ai
