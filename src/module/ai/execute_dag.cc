#include "module/ai/execute_dag.h"

#include <memory>
#include <utility>
#include <vector>

#include "infer/dag.h"
#include "module/ai/dag_ops.h"
#include "module/ai/run_stats.h"
#include "module/ai/store_outputs.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"

namespace redoubt::ai {
namespace {

using Kind = DagReply::Kind;
using State = infer::DagOpResult::State;

bool Failed(const infer::DagOpResult& op) { return op.state == State::kFailed || op.state == State::kRefused; }

class DagCompletion final : public host::Completion {
 public:
  // Leaves the plan of `command` where it is.
  DagCompletion(AiModule& ai, host::Context& ctx, DagCommand& command)
      : ai_(ai),
        caller_(host::Caller::Of(ctx)),
        replies_(std::move(command.replies)),
        persist_(std::move(command.persist)),
        persisted_values_(std::move(command.persisted_values)) {}

  // On any thread, once.
  void Finish(infer::DagResult result) { result_ = std::move(result); }

  void Apply(host::Context& effects) override {
    for (const DagReply& reply : replies_) {
      if (reply.kind == Kind::kRun) Count(result_.ops[reply.number], *reply.stats);
    }
    if (!result_.ok() || persist_.empty()) return;
    infer::Tensors tensors;
    for (size_t value : persisted_values_) tensors.push_back(result_.values[value]);
    persisted_ = StoreOutputs(effects, caller_, persist_, tensors);
    if (!persisted_.ok()) ++ai_.counters().outputs_not_stored;
  }

  void Reply(host::Context& ctx) override {
    if (result_.timed_out) return ctx.ReplyStatus("TIMEDOUT");
    ctx.ReplyArray(replies_.size() + (persisted_.ok() ? 0 : 1));
    bool failed = false;  // something that stands before
    for (const DagReply& reply : replies_) {
      ReplyOne(ctx, reply, failed);
      failed = failed || (reply.kind == Kind::kRun && Failed(result_.ops[reply.number]));
    }
    if (!persisted_.ok()) ctx.ReplyError(host::ErrorLine(persisted_.message()));
  }

 private:
  void Count(const infer::DagOpResult& op, RunStats& stats) {
    switch (op.state) {
      case State::kNotRun:
        return;
      case State::kRefused:
        ++ai_.counters().refused;
        return;
      case State::kRunning:
        return CountRun(ai_, stats, base::DeadlineExceeded("the time given to the DAG is over"), 0, op.times);
      case State::kDone:
      case State::kFailed:
        return CountRun(ai_, stats, op.status, op.rows, op.times);
    }
  }

  void ReplyOne(host::Context& ctx, const DagReply& reply, bool failed) {
    switch (reply.kind) {
      case Kind::kSet:
        return ctx.ReplyOk();
      case Kind::kGet: {
        const tensor::Tensor::Ptr& tensor = result_.values[reply.number];
        if (failed || tensor == nullptr) return ctx.ReplyStatus("NA");
        return ReplyTensor(ctx, *tensor, reply.parts);
      }
      case Kind::kRun:
        return ReplyRun(ctx, result_.ops[reply.number]);
    }
  }

  static void ReplyRun(host::Context& ctx, const infer::DagOpResult& op) {
    switch (op.state) {
      case State::kDone:
        return ctx.ReplyOk();
      case State::kFailed:
        return ctx.ReplyError(op.status.message());  // the vendor's words as they are
      case State::kRefused:
        return ctx.ReplyError(host::ErrorLine(op.status.message()));
      case State::kRunning:
      case State::kNotRun:
        return ctx.ReplyStatus("NA");
    }
  }

  AiModule& ai_;
  host::Caller caller_;
  std::vector<DagReply> replies_;
  std::vector<host::String> persist_;
  std::vector<size_t> persisted_values_;
  infer::DagResult result_;
  base::Status persisted_;
};

}  // namespace

base::Status ExecuteDag(AiModule& ai, host::Context& ctx, const host::Args& args, const DagForm& form) {
  if (!ctx.CanBlock()) {
    return base::FailedPrecondition("ERR Cannot run RedisAI command within a transaction or a LUA script");
  }
  base::Result<DagCommand> command = ReadDag(ai, ctx, args, form);
  if (!command.ok()) {
    if (command.status().code() == base::StatusCode::kResourceExhausted) return command.status();
    ctx.ReplyError(command.status().message());
    return base::OkStatus();
  }
  ai.ShareMemory(ctx);
  auto completion = std::make_unique<DagCompletion>(ai, ctx, *command);
  DagCompletion* dag = completion.get();
  if (command->plan.ops.empty()) {
    infer::RunDag(std::move(command->plan), 0, [dag](infer::DagResult result) { dag->Finish(std::move(result)); });
    dag->Apply(ctx);
    dag->Reply(ctx);
    return base::OkStatus();
  }
  host::BlockedClient* blocked = host::BlockedClient::Block(ctx, std::move(completion));
  infer::RunDag(std::move(command->plan), command->timeout_ms, [dag, blocked](infer::DagResult result) {
    dag->Finish(std::move(result));
    blocked->Unblock();
  });
  return base::OkStatus();
}

}  // namespace redoubt::ai
