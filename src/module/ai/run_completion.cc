#include "module/ai/run_completion.h"

#include <utility>

#include "module/ai/store_outputs.h"

namespace redoubt::ai {

void RunCompletion::Finish(base::Result<infer::Tensors> outputs, const infer::RunTimes& times) {
  result_ = outputs.status();
  if (outputs.ok()) outputs_ = std::move(*outputs);
  times_ = times;
}

void RunCompletion::Apply(host::Context& effects) {
  CountRun(ai_, *stats_, result_, outputs_, times_);
  if (result_.ok()) result_ = Take(effects, std::move(outputs_));
}

void RunCompletion::Reply(host::Context& ctx) {
  if (result_.ok()) {
    ReplyDone(ctx);
  } else if (result_.code() == base::StatusCode::kDeadlineExceeded) {
    ctx.ReplyStatus("TIMEDOUT");
  } else {
    ctx.ReplyError(result_.message());  // the vendor's words as they are
  }
}

StoringCompletion::StoringCompletion(AiModule& ai, host::Context& ctx, std::shared_ptr<RunStats> stats,
                                     std::vector<host::String> outputs, CheckCounts check)
    : RunCompletion(ai, std::move(stats)),
      caller_(host::Caller::Of(ctx)),
      names_(std::move(outputs)),
      check_(std::move(check)) {}

base::Status StoringCompletion::Take(host::Context& effects, infer::Tensors outputs) {
  if (const std::string mismatch = check_(outputs.size(), names_.size()); !mismatch.empty()) {
    return base::InvalidArgument(mismatch);
  }
  if (names_.empty()) return base::OkStatus();
  const base::Status stored = StoreOutputs(effects, caller_, names_, outputs);
  if (!stored.ok()) ++ai_.counters().outputs_not_stored;
  return stored;
}

base::Status SubmitRun(AiModule& ai, host::Context& ctx, std::string_view device, infer::RunRequest request,
                       std::unique_ptr<RunCompletion> completion) {
  ai.ShareMemory(ctx);
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
