#include "module/ai/execute_model.h"

#include <memory>
#include <string>
#include <utility>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/run_stats.h"
#include "module/ai/store_outputs.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

class RunCompletion final : public host::Completion {
 public:
  RunCompletion(AiModule& ai, host::Context& ctx, std::shared_ptr<RunStats> stats, std::vector<host::String> outputs)
      : ai_(ai), caller_(host::Caller::Of(ctx)), stats_(std::move(stats)), names_(std::move(outputs)) {}

  // On a worker's or the timer's thread.
  void Finish(base::Result<infer::Tensors> outputs, const infer::RunTimes& times) {
    result_ = outputs.status();
    if (outputs.ok()) outputs_ = std::move(*outputs);
    times_ = times;
  }

  void Apply(host::Context& effects) override {
    CountRun(ai_, *stats_, result_, outputs_, times_);
    if (!result_.ok()) return;
    if (outputs_.size() != names_.size()) {
      result_ = base::InvalidArgument("Number of keys given as OUTPUTS here does not match model definition");
      return;
    }
    result_ = StoreOutputs(effects, caller_, names_, outputs_);
    if (!result_.ok()) ++ai_.counters().outputs_not_stored;
  }

  void Reply(host::Context& ctx) override {
    if (result_.ok()) {
      ctx.ReplyOk();
    } else if (result_.code() == base::StatusCode::kDeadlineExceeded) {
      ctx.ReplyStatus("TIMEDOUT");
    } else {
      ctx.ReplyError(result_.message());  // the vendor's words as they are
    }
  }

 private:
  AiModule& ai_;
  host::Caller caller_;
  std::shared_ptr<RunStats> stats_;
  std::vector<host::String> names_;
  infer::Tensors outputs_;
  infer::RunTimes times_;
  base::Status result_;
};

base::Result<infer::Tensors> ReadInputs(host::Context& ctx, const host::Args& args, const ExecuteArguments& parsed) {
  infer::Tensors inputs;
  inputs.reserve(parsed.inputs);
  for (size_t i = 0; i < parsed.inputs; ++i) {
    const host::Key key = host::Key::ForRead(ctx, args.raw(parsed.first_input + i));
    if (key.empty()) return base::NotFound(kNoTensor);
    std::shared_ptr<const tensor::Tensor> tensor = TensorAt(key);
    if (tensor == nullptr) return base::InvalidArgument(host::kWrongType);
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

base::Status Submit(AiModule& ai, host::Context& ctx, const ModelValue& model, infer::Tensors inputs,
                    std::vector<host::String> outputs, int64_t timeout_ms) {
  auto completion = std::make_unique<RunCompletion>(ai, ctx, model.stats, std::move(outputs));
  RunCompletion* run = completion.get();
  host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
  infer::RunRequest request;
  request.model = model.slot;
  request.inputs = std::move(inputs);
  request.timeout_ms = timeout_ms;
  request.done = [run, blocked](base::Result<infer::Tensors> result, const infer::RunTimes& times) {
    run->Finish(std::move(result), times);
    blocked->Unblock();
  };
  const base::Status accepted = ai.executor().Submit(model.queue_device(), std::move(request));
  if (!accepted.ok()) {
    ++ai.counters().refused;
    blocked->Abort();
  }
  return accepted;
}

}  // namespace

base::Status ExecuteModel(AiModule& ai, host::Context& ctx, const host::Args& args, ParseExecute parse) {
  if (!ctx.CanBlock()) {
    return base::FailedPrecondition("ERR Cannot run RedisAI command within a transaction or a LUA script");
  }
  const host::Key model_key = host::Key::ForRead(ctx, args.raw(1));
  if (model_key.empty()) return base::NotFound(kNoModel);
  const ModelValue* model = ModelAt(model_key);
  if (model == nullptr) return base::InvalidArgument(host::kWrongType);
  ASSIGN_OR_RETURN(const ExecuteArguments parsed, parse(args, model));
  if (!parsed.raw_error.empty()) {
    ctx.ReplyError(parsed.raw_error);
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(infer::Tensors inputs, ReadInputs(ctx, args, parsed));
  std::vector<host::String> outputs;
  outputs.reserve(parsed.outputs);
  for (size_t i = 0; i < parsed.outputs; ++i) outputs.push_back(host::String::Hold(args.raw(parsed.first_output + i)));
  return Submit(ai, ctx, *model, std::move(inputs), std::move(outputs), parsed.timeout_ms);
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
