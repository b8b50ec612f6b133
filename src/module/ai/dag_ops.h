#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "infer/dag_plan.h"
#include "module/ai/ai_module.h"
#include "module/ai/dag_arguments.h"
#include "module/ai/execute_model.h"
#include "module/ai/run_stats.h"
#include "module/ai/tensor_reply.h"
#include "module/host/context.h"
#include "module/host/key.h"

namespace redoubt::ai {

// The run that one op of a DAG asks for. Each kind of run has a function that reads the op's words, and the keys that
// are not local names, into this.
struct DagRunOp {
  std::string device;
  std::vector<std::string_view> inputs, outputs;  // local names, among the words
  infer::DagOp::Start start;
  std::shared_ptr<RunStats> stats;
};

// AI.MODELEXECUTE and AI.MODELRUN within a DAG; `op` is a command by itself.
base::Result<DagRunOp> ReadModelOp(AiModule& ai, host::Context& ctx, const host::Args& op, ParseExecute parse);

// What the client gets for one op.
struct DagReply {
  enum class Kind { kSet, kGet, kRun };
  Kind kind = Kind::kSet;
  size_t number = 0;                // kGet: of the value; kRun: of the op in the plan
  TensorParts parts;                // kGet
  std::shared_ptr<RunStats> stats;  // kRun
};

// A DAG command that has been read: what to run, what to keep of it, what to answer.
struct DagCommand {
  infer::DagPlan plan;
  int64_t timeout_ms = 0;
  std::vector<DagReply> replies;
  std::vector<host::String> persist;     // keys
  std::vector<size_t> persisted_values;  // their values
};

// Reads the command, the tensors that it loads and the models that it names. Errors are wire texts, some of them
// without a code word, as RedisAI sends them.
base::Result<DagCommand> ReadDag(AiModule& ai, host::Context& ctx, const host::Args& args, const DagForm& form);

}  // namespace redoubt::ai
