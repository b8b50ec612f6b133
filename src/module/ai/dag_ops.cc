#include "module/ai/dag_ops.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

#include "module/ai/commands.h"
#include "module/ai/dag_script_op.h"
#include "module/ai/data_types.h"
#include "module/ai/tensorset.h"

namespace redoubt::ai {
namespace {

using Kind = DagReply::Kind;

base::Status Wrong(std::string text) { return base::InvalidArgument(std::move(text)); }

base::Status WrongArity(std::string_view name) {
  return Wrong(fmt::format("wrong number of arguments for '{}' command", name));
}

base::Status NoInput() { return base::NotFound("ERR INPUT key cannot be found in DAG"); }

std::vector<std::string_view> Words(const host::Args& args, size_t first, size_t count) {
  std::vector<std::string_view> words;
  words.reserve(count);
  for (size_t i = 0; i < count; ++i) words.push_back(args[first + i]);
  return words;
}

// While a model is loading nobody knows how many outputs it has.
infer::RunDone CheckCount(infer::RunDone done, size_t expected) {
  return [done = std::move(done), expected](base::Result<infer::Tensors> outputs, const infer::RunTimes& times) {
    if (outputs.ok() && outputs->size() != expected) {
      outputs = base::InvalidArgument(ModelCountMismatch(outputs->size(), expected));
    }
    done(std::move(outputs), times);
  };
}

infer::DagOp::Start StartOfModel(infer::Executor& executor, const ModelValue& model, size_t outputs) {
  return [&executor, slot = model.slot, device = model.queue_device(), outputs](
             infer::Tensors inputs, int64_t timeout_ms, infer::RunDone done) -> base::Status {
    infer::RunRequest request;
    request.model = slot;
    request.inputs = std::move(inputs);
    request.timeout_ms = timeout_ms;
    request.done = CheckCount(std::move(done), outputs);
    return executor.Submit(device, std::move(request));
  };
}

class DagReader {
 public:
  DagReader(AiModule& ai, host::Context& ctx, const host::Args& args, const DagForm& form)
      : ai_(ai), ctx_(ctx), args_(args), form_(form) {}

  base::Result<DagCommand> Read() {
    DagArguments parsed;
    const base::Status words = ParseDag(args_, form_, &parsed);
    // Tensors that stand before a wrong word are missed first.
    for (size_t key : parsed.load) RETURN_IF_ERROR(Load(key));
    RETURN_IF_ERROR(words);
    for (const DagArguments::Op& op : parsed.ops) RETURN_IF_ERROR(ReadOp(args_.Slice(op.first, op.words)));
    for (size_t key : parsed.persist) RETURN_IF_ERROR(Persist(key));
    command_.timeout_ms = parsed.timeout_ms;
    command_.plan = builder_.Take();
    return std::move(command_);
  }

 private:
  base::Status Load(size_t word) {
    ASSIGN_OR_RETURN(auto tensor, ReadTensor(ctx_, args_.raw(word)));
    builder_.Set(args_[word], std::move(tensor));
    return base::OkStatus();
  }

  base::Status Persist(size_t word) {
    const std::optional<size_t> value = builder_.Find(args_[word]);
    if (!value) return base::NotFound("ERR PERSIST key cannot be found in DAG");
    builder_.Keep(*value);
    command_.persist.push_back(host::String::Hold(args_.raw(word)));
    command_.persisted_values.push_back(*value);
    return base::OkStatus();
  }

  base::Status ReadOp(const host::Args& op) {
    if (op.Is(0, "AI.TENSORSET")) return ReadTensorSet(op);
    if (op.Is(0, "AI.TENSORGET")) return ReadTensorGet(op);
    if (op.Is(0, "AI.MODELEXECUTE")) {
      RETURN_IF_ERROR(CheckAge("AI.MODELEXECUTE", /*old=*/false));
      return AddRun(ReadModelOp(ai_, ctx_, op, &ParseModelExecute));
    }
    if (op.Is(0, "AI.MODELRUN")) {
      RETURN_IF_ERROR(CheckAge("AI.MODELRUN", /*old=*/true));
      return AddRun(ReadModelOp(ai_, ctx_, op, &ParseModelRun));
    }
    if (op.Is(0, "AI.SCRIPTEXECUTE")) {
      RETURN_IF_ERROR(CheckAge("AI.SCRIPTEXECUTE", /*old=*/false));
      if (form_.read_only) return Wrong("ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG");
      return AddRun(ReadScriptOp(ai_, ctx_, op, &ParseScriptExecute, form_.read_only));
    }
    if (op.Is(0, "AI.SCRIPTRUN")) {
      RETURN_IF_ERROR(CheckAge("AI.SCRIPTRUN", /*old=*/true));
      return AddRun(ReadScriptOp(ai_, ctx_, op, &ParseScriptRun, form_.read_only));
    }
    return Wrong("Unsupported command within DAG");
  }

  // Old ops go with the old commands, new ones with the new.
  base::Status CheckAge(std::string_view op, bool old) const {
    if (old == form_.deprecated) return base::OkStatus();
    if (old) return Wrong(fmt::format("Deprecated {} cannot be used in AI.DAGEXECUTE command", op));
    return Wrong(fmt::format("{} cannot be used in a deprecated AI.DAGRUN command", op));
  }

  base::Status ReadTensorSet(const host::Args& op) {
    if (op.size() < 3) return WrongArity("AI.TENSORSET");
    ASSIGN_OR_RETURN(auto tensor, TensorOfTensorSet(ai_, ctx_, op));
    builder_.Set(op[1], std::move(tensor));
    command_.replies.emplace_back();
    return base::OkStatus();
  }

  base::Status ReadTensorGet(const host::Args& op) {
    if (op.size() < 2 || op.size() > 4) return WrongArity("AI.TENSORGET");
    ASSIGN_OR_RETURN(const TensorParts parts, ParseTensorParts(op));
    const std::optional<size_t> value = builder_.Find(op[1]);
    if (!value) return NoInput();
    builder_.Keep(*value);
    command_.replies.push_back({Kind::kGet, *value, parts, nullptr});
    return base::OkStatus();
  }

  base::Status AddRun(base::Result<DagRunOp> run) {
    RETURN_IF_ERROR(run.status());
    const base::Result<size_t> number =
        builder_.AddOp(std::move(run->device), run->inputs, run->outputs, std::move(run->start));
    if (!number.ok()) return NoInput();
    command_.replies.push_back({Kind::kRun, *number, {}, std::move(run->stats)});
    return base::OkStatus();
  }

  AiModule& ai_;
  host::Context& ctx_;
  const host::Args& args_;
  const DagForm& form_;
  infer::DagBuilder builder_;
  DagCommand command_;
};

}  // namespace

base::Result<DagRunOp> ReadModelOp(AiModule& ai, host::Context& ctx, const host::Args& op, ParseExecute parse) {
  const bool old = op.Is(0, "AI.MODELRUN");
  if (op.size() < (old ? 6 : 8)) {
    return Wrong(
        fmt::format("ERR wrong number of arguments for '{}' command", old ? "AI.MODELRUN" : "AI.MODELEXECUTE"));
  }
  ASSIGN_OR_RETURN(const ModelValue* model, ReadModel(ctx, op.raw(1)));
  ASSIGN_OR_RETURN(const ExecuteArguments parsed, parse(op, model));
  if (!parsed.raw_error.empty()) return Wrong(parsed.raw_error);
  if (parsed.timeout_ms != 0) return Wrong("ERR TIMEOUT not allowed within a DAG command");
  DagRunOp run;
  run.device = model->queue_device();
  run.inputs = Words(op, parsed.first_input, parsed.inputs);
  run.outputs = Words(op, parsed.first_output, parsed.outputs);
  run.start = StartOfModel(ai.executor(), *model, parsed.outputs);
  run.stats = model->stats;
  return run;
}

base::Result<DagCommand> ReadDag(AiModule& ai, host::Context& ctx, const host::Args& args, const DagForm& form) {
  return DagReader(ai, ctx, args, form).Read();
}

}  // namespace redoubt::ai
