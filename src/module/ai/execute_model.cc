#include "module/ai/execute_model.h"

#include <memory>
#include <string>
#include <utility>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/run_completion.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

base::Result<infer::Tensors> ReadInputs(host::Context& ctx, const host::Args& args, const ExecuteArguments& parsed) {
  infer::Tensors inputs;
  inputs.reserve(parsed.inputs);
  for (size_t i = 0; i < parsed.inputs; ++i) {
    ASSIGN_OR_RETURN(auto tensor, ReadTensor(ctx, args.raw(parsed.first_input + i)));
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

}  // namespace

std::string ModelCountMismatch(size_t outputs, size_t keys) { return outputs == keys ? "" : CountMismatch("OUTPUTS"); }

base::Status ExecuteModel(AiModule& ai, host::Context& ctx, const host::Args& args, ParseExecute parse) {
  if (!ctx.CanBlock()) {
    return base::FailedPrecondition("ERR Cannot run RedisAI command within a transaction or a LUA script");
  }
  ASSIGN_OR_RETURN(const ModelValue* model, ReadModel(ctx, args.raw(1)));
  ASSIGN_OR_RETURN(const ExecuteArguments parsed, parse(args, model));
  if (!parsed.raw_error.empty()) {
    ctx.ReplyError(parsed.raw_error);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(infer::Tensors inputs, ReadInputs(ctx, args, parsed));
  std::vector<host::String> outputs;
  outputs.reserve(parsed.outputs);
  for (size_t i = 0; i < parsed.outputs; ++i) outputs.push_back(host::String::Hold(args.raw(parsed.first_output + i)));
  infer::RunRequest request;
  request.model = model->slot;
  request.inputs = std::move(inputs);
  request.timeout_ms = parsed.timeout_ms;
  auto completion = std::make_unique<StoringCompletion>(ai, ctx, model->stats, std::move(outputs), &ModelCountMismatch);
  return SubmitRun(ai, ctx, model->queue_device(), std::move(request), std::move(completion));
}

std::vector<host::KeyPosition> ExecuteKeys(const host::Args& args, ParseExecute parse) {
  std::vector<host::KeyPosition> keys;
  if (args.size() < 2) return keys;
  keys.push_back({1, REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS});
  const base::Result<ExecuteArguments> parsed = parse(args, nullptr);
  if (!parsed.ok()) return keys;  // the command itself will refuse the same words
  for (size_t i = 0; i < parsed->inputs; ++i) {
    keys.push_back({static_cast<int>(parsed->first_input + i), REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS});
  }
  for (size_t i = 0; i < parsed->outputs; ++i) {
    keys.push_back({static_cast<int>(parsed->first_output + i), REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_UPDATE});
  }
  return keys;
}

}  // namespace redoubt::ai
