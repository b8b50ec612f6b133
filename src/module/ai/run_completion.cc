#include "module/ai/run_completion.h"

#include <utility>

#include "module/ai/store_outputs.h"

namespace redoubt::ai {

RunCompletion::RunCompletion(AiModule& ai, host::Context& ctx, std::shared_ptr<RunStats> stats,
                             std::vector<host::String> outputs, CheckCounts check)
    : ai_(ai),
      caller_(host::Caller::Of(ctx)),
      stats_(std::move(stats)),
      names_(std::move(outputs)),
      check_(std::move(check)) {}

void RunCompletion::Finish(base::Result<infer::Tensors> outputs, const infer::RunTimes& times) {
  result_ = outputs.status();
  if (outputs.ok()) outputs_ = std::move(*outputs);
  times_ = times;
}

void RunCompletion::Apply(host::Context& effects) {
  CountRun(ai_, *stats_, result_, outputs_, times_);
  if (!result_.ok()) return;
  if (const std::string mismatch = check_(outputs_.size(), names_.size()); !mismatch.empty()) {
    result_ = base::InvalidArgument(mismatch);
    return;
  }
  if (names_.empty()) return;
  result_ = StoreOutputs(effects, caller_, names_, outputs_);
  if (!result_.ok()) ++ai_.counters().outputs_not_stored;
}

void RunCompletion::Reply(host::Context& ctx) {
  if (result_.ok()) {
    ctx.ReplyOk();
  } else if (result_.code() == base::StatusCode::kDeadlineExceeded) {
    ctx.ReplyStatus("TIMEDOUT");
  } else {
    ctx.ReplyError(result_.message());  // the vendor's words as they are
  }
}

base::Status SubmitRun(AiModule& ai, host::Context& ctx, std::string_view device, infer::RunRequest request,
                       std::unique_ptr<RunCompletion> completion) {
  RunCompletion* run = completion.get();
  host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
  request.done = [run, blocked](base::Result<infer::Tensors> result, const infer::RunTimes& times) {
    run->Finish(std::move(result), times);
    blocked->Unblock();
  };
  const base::Status accepted = ai.executor().Submit(device, std::move(request));
  if (!accepted.ok()) {
    ++ai.counters().refused;
    blocked->Abort();
  }
  return accepted;
}

}  // namespace redoubt::ai
