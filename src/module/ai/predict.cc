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
#include "module/ai/run_completion.h"
#include "module/ai/tensor_reply.h"
#include "module/host/key.h"

namespace redoubt::ai {
namespace {

// Whether the model has outputs of these names.
base::Status CheckNames(const infer::Model& model, const std::vector<std::string>& names) {
  if (names.empty()) return base::OkStatus();
  if (model.counts_outputs_by_run()) {
    return base::InvalidArgument("ERR the outputs of this model have no names; leave OUTPUTS out to get all of them");
  }
  std::vector<std::string> known;
  for (const infer::ModelIo& output : model.outputs()) known.push_back(output.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return base::InvalidArgument(
        fmt::format("ERR the model has no output '{}'; its outputs: {}", name, fmt::join(known, ", ")));
  }
  return base::OkStatus();
}

// Answers with the outputs themselves.
class Prediction final : public RunCompletion {
 public:
  Prediction(AiModule& ai, const ModelValue& model, std::vector<std::string> names)
      : RunCompletion(ai, model.stats), slot_(model.slot), names_(std::move(names)) {}

 protected:
  base::Status Take(host::Context& /*effects*/, infer::Tensors outputs) override {
    if (names_.empty()) {
      answer_ = std::move(outputs);
      return base::OkStatus();
    }
    ASSIGN_OR_RETURN(const std::shared_ptr<infer::Model> model, slot_->Get());
    RETURN_IF_ERROR(CheckNames(*model, names_));
    for (const std::string& name : names_) {
      for (size_t i = 0; i < model->outputs().size(); ++i) {
        if (model->outputs()[i].name != name) continue;
        answer_.push_back(outputs[i]);
        break;
      }
    }
    return base::OkStatus();
  }

  void ReplyDone(host::Context& ctx) override {
    ctx.ReplyArray(answer_.size());
    for (const tensor::Tensor::Ptr& tensor : answer_) ReplyTensor(ctx, *tensor);
  }

 private:
  std::shared_ptr<infer::ModelSlot> slot_;
  std::vector<std::string> names_;
  infer::Tensors answer_;
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
    ASSIGN_OR_RETURN(auto tensor, ReadTensor(ctx, args.raw(std::get<PredictArguments::FromKey>(input).word)));
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
  return CheckNames(**model, parsed.outputs);
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
  ASSIGN_OR_RETURN(const ModelValue* model, ReadModel(ctx, args.raw(1)));
  const TensorLimits limits = {static_cast<size_t>(ai.settings().tensor_max_bytes), false};
  ASSIGN_OR_RETURN(const PredictArguments parsed, ParsePredict(args, limits));
  RETURN_IF_ERROR(CheckAgainstModel(*model, parsed));
  ASSIGN_OR_RETURN(infer::Tensors inputs, MakeInputs(ai, ctx, args, parsed, limits));
  infer::RunRequest request;
  request.model = model->slot;
  request.inputs = std::move(inputs);
  request.timeout_ms = parsed.timeout_ms;
  return SubmitRun(ai, ctx, model->queue_device(), std::move(request),
                   std::make_unique<Prediction>(ai, *model, parsed.outputs));
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
