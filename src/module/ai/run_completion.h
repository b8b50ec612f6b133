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

// Ends a run that a client waits for: counts it, hands its outputs on, and answers TIMEDOUT, the error, or what the
// kind of run has to say.
class RunCompletion : public host::Completion {
 public:
  RunCompletion(AiModule& ai, std::shared_ptr<RunStats> stats) : ai_(ai), stats_(std::move(stats)) {}

  // On a worker's or the timer's thread.
  void Finish(base::Result<infer::Tensors> outputs, const infer::RunTimes& times);

  void Apply(host::Context& effects) final;
  void Reply(host::Context& ctx) final;

 protected:
  // After a run that went well, also when the client has left. An error, a wire text, becomes the answer.
  virtual base::Status Take(host::Context& effects, infer::Tensors outputs) = 0;
  // When that went well too.
  virtual void ReplyDone(host::Context& ctx) = 0;

  AiModule& ai_;

 private:
  std::shared_ptr<RunStats> stats_;
  infer::Tensors outputs_;
  infer::RunTimes times_;
  base::Status result_;
};

// Stores the outputs at keys and replicates them; answers OK.
class StoringCompletion final : public RunCompletion {
 public:
  // Why so many outputs do not fit so many keys; empty when they do, or when they are to be dropped.
  using CheckCounts = std::function<std::string(size_t outputs, size_t keys)>;

  StoringCompletion(AiModule& ai, host::Context& ctx, std::shared_ptr<RunStats> stats,
                    std::vector<host::String> outputs, CheckCounts check);

 protected:
  base::Status Take(host::Context& effects, infer::Tensors outputs) override;
  void ReplyDone(host::Context& ctx) override { ctx.ReplyOk(); }

 private:
  host::Caller caller_;
  std::vector<host::String> names_;
  CheckCounts check_;
};

// Blocks the client, submits and answers by `completion`. When the queue refuses, the client is not blocked.
base::Status SubmitRun(AiModule& ai, host::Context& ctx, std::string_view device, infer::RunRequest request,
                       std::unique_ptr<RunCompletion> completion);

}  // namespace redoubt::ai
