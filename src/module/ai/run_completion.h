#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "infer/executor.h"
#include "module/ai/ai_module.h"
#include "module/ai/run_stats.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"
#include "module/host/key.h"

namespace redoubt::ai {

// Ends a run whose outputs go to keys: counts it, stores and replicates the outputs, also when the client has left, and
// answers OK, TIMEDOUT or the error.
class RunCompletion final : public host::Completion {
 public:
  // Why so many outputs do not fit so many keys; empty when they do, or when they are to be dropped.
  using CheckCounts = std::function<std::string(size_t outputs, size_t keys)>;

  RunCompletion(AiModule& ai, host::Context& ctx, std::shared_ptr<RunStats> stats, std::vector<host::String> outputs,
                CheckCounts check);

  // On a worker's or the timer's thread.
  void Finish(base::Result<infer::Tensors> outputs, const infer::RunTimes& times);

  void Apply(host::Context& effects) override;
  void Reply(host::Context& ctx) override;

 private:
  AiModule& ai_;
  host::Caller caller_;
  std::shared_ptr<RunStats> stats_;
  std::vector<host::String> names_;
  CheckCounts check_;
  infer::Tensors outputs_;
  infer::RunTimes times_;
  base::Status result_;
};

// Blocks the client, submits and answers by `completion`. When the queue refuses, the client is not blocked.
base::Status SubmitRun(AiModule& ai, host::Context& ctx, std::string_view device, infer::RunRequest request,
                       std::unique_ptr<RunCompletion> completion);

}  // namespace redoubt::ai
