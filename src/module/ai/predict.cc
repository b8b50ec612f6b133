// AI.PREDICT key INPUTS n (KEY key | TENSOR type dim ... BLOB data)... [OUTPUTS m name ...] [TIMEOUT ms]
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/predict_arguments.h"
#include "module/ai/run_stats.h"
#include "module/ai/tensor_reply.h"
#include "module/host/blocked_client.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

// The places of `names` among the model's outputs, or all of them when none is named.
base::Result<std::vector<size_t>> ChooseOutputs(const infer::Model& model, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const infer::ModelIo& output : model.outputs()) known.push_back(output.name);
  std::vector<size_t> places;
  if (names.empty()) {
    for (size_t i = 0; i < known.size(); ++i) places.push_back(i);
  }
  for (const std::string& name : names) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      return base::InvalidArgument(
          fmt::format("ERR the model has no output '{}'; its outputs: {}", name, fmt::join(known, ", ")));
    }
    places.push_back(static_cast<size_t>(found - known.begin()));
  }
  return places;
}

class Prediction final : public host::Completion {
 public:
  Prediction(AiModule& ai, const ModelValue& model, std::vector<std::string> names)
      : ai_(ai), slot_(model.slot), stats_(model.stats), names_(std::move(names)) {}

  // On a worker's or the timer's thread.
  void Finish(base::Result<infer::Tensors> outputs, const infer::RunTimes& times) {
    result_ = outputs.status();
    if (outputs.ok()) outputs_ = std::move(*outputs);
    times_ = times;
  }

  void Apply(host::Context& /*effects*/) override { CountRun(ai_, *stats_, result_, outputs_, times_); }

  void Reply(host::Context& ctx) override {
    if (result_.code() == base::StatusCode::kDeadlineExceeded) return ctx.ReplyStatus("TIMEDOUT");
    if (!result_.ok()) return ctx.ReplyError(result_.message());  // the vendor's words as they are
    const base::Result<std::shared_ptr<infer::Model>> model = slot_->Get();
    const base::Result<std::vector<size_t>> places =
        model.ok() ? ChooseOutputs(**model, names_) : base::Result<std::vector<size_t>>(model.status());
    if (!places.ok()) return ctx.ReplyError(host::ErrorLine(places.status().message()));
    ctx.ReplyArray(places->size());
    for (size_t place : *places) ReplyTensor(ctx, *outputs_[place]);
  }

 private:
  AiModule& ai_;
  std::shared_ptr<infer::ModelSlot> slot_;
  std::shared_ptr<RunStats> stats_;
  std::vector<std::string> names_;
  infer::Tensors outputs_;
  infer::RunTimes times_;
  base::Status result_;
};

base::Result<infer::Tensors> MakeInputs(AiModule& ai, host::Context& ctx, const host::Args& args,
                                        const PredictArguments& parsed, const TensorLimits& limits) {
  infer::Tensors inputs;
  inputs.reserve(parsed.inputs.size());
  for (const PredictArguments::Input& input : parsed.inputs) {
    if (const auto* tensor = std::get_if<TensorArguments>(&input)) {
      ASSIGN_OR_RETURN(auto made, MakeTensor(args, *tensor, limits, ai.memory()));
      inputs.push_back(std::move(made));
      continue;
    }
    const host::Key key = host::Key::ForRead(ctx, args.raw(std::get<PredictArguments::FromKey>(input).word));
    if (key.empty()) return base::NotFound(kNoTensor);
    std::shared_ptr<const tensor::Tensor> tensor = TensorAt(key);
    if (tensor == nullptr) return base::InvalidArgument(host::kWrongType);
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

// What is known to be wrong before the run: while the model is still loading only the run can tell.
base::Status CheckAgainstModel(const ModelValue& value, const PredictArguments& parsed) {
  const base::Result<std::shared_ptr<infer::Model>> model = value.slot->Get();
  if (!model.ok()) return base::OkStatus();
  if ((*model)->inputs().size() != parsed.inputs.size()) {
    return base::InvalidArgument(
        fmt::format("ERR the model has {} inputs, {} are given", (*model)->inputs().size(), parsed.inputs.size()));
  }
  return ChooseOutputs(**model, parsed.outputs).status();
}

base::Status Submit(AiModule& ai, host::Context& ctx, const ModelValue& model, infer::Tensors inputs,
                    const PredictArguments& parsed) {
  auto completion = std::make_unique<Prediction>(ai, model, parsed.outputs);
  Prediction* prediction = completion.get();
  host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
  infer::RunRequest request;
  request.model = model.slot;
  request.inputs = std::move(inputs);
  request.timeout_ms = parsed.timeout_ms;
  request.done = [prediction, blocked](base::Result<infer::Tensors> result, const infer::RunTimes& times) {
    prediction->Finish(std::move(result), times);
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

base::Status Predict(AiModule& ai, host::Context& ctx, host::Args args) {
  if (args.size() < 6) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  if (!ctx.CanBlock()) {
    return base::FailedPrecondition("ERR Cannot run RedisAI command within a transaction or a LUA script");
  }
  const host::Key model_key = host::Key::ForRead(ctx, args.raw(1));
  if (model_key.empty()) return base::NotFound(kNoModel);
  const ModelValue* model = ModelAt(model_key);
  if (model == nullptr) return base::InvalidArgument(host::kWrongType);
  const TensorLimits limits = {static_cast<size_t>(ai.settings().tensor_max_bytes), false};
  ASSIGN_OR_RETURN(const PredictArguments parsed, ParsePredict(args, limits));
  RETURN_IF_ERROR(CheckAgainstModel(*model, parsed));
  ASSIGN_OR_RETURN(infer::Tensors inputs, MakeInputs(ai, ctx, args, parsed, limits));
  return Submit(ai, ctx, *model, std::move(inputs), parsed);
}

std::vector<host::KeyPosition> PredictKeys(const host::Args& args) {
  std::vector<host::KeyPosition> keys;
  if (args.size() < 2) return keys;
  constexpr int kFlags = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS;
  keys.push_back({1, kFlags});
  const base::Result<PredictArguments> parsed = ParsePredict(args, {SIZE_MAX, false});
  if (!parsed.ok()) return keys;  // the command itself will refuse the same words
  for (const PredictArguments::Input& input : parsed->inputs) {
    if (const auto* key = std::get_if<PredictArguments::FromKey>(&input)) {
      keys.push_back({static_cast<int>(key->word), kFlags});
    }
  }
  return keys;
}

}  // namespace redoubt::ai
