#include "module/ai/dag_script_op.h"

#include <fmt/core.h>

#include <utility>

#include "module/ai/commands.h"
#include "module/ai/script_host.h"
#include "module/ai/script_type.h"

namespace redoubt::ai {
namespace {

infer::RunDone CheckCount(infer::RunDone done, size_t wanted) {
  return [done = std::move(done), wanted](base::Result<infer::Tensors> outputs, const infer::RunTimes& times) {
    if (outputs.ok()) {
      if (const std::string mismatch = ScriptCountMismatch(outputs->size(), wanted); !mismatch.empty()) {
        outputs = base::InvalidArgument(mismatch);
      } else if (wanted == 0) {
        outputs->clear();
      }
    }
    done(std::move(outputs), times);
  };
}

}  // namespace

base::Result<DagRunOp> ReadScriptOp(AiModule& ai, host::Context& ctx, const host::Args& op, ParseCall parse,
                                    bool read_only) {
  if (op.size() < 4) {
    return base::InvalidArgument(fmt::format("ERR wrong number of arguments for '{}' command",
                                             op.Is(0, "AI.SCRIPTRUN") ? "AI.SCRIPTRUN" : "AI.SCRIPTEXECUTE"));
  }
  ASSIGN_OR_RETURN(const ScriptValue* script, ReadScript(ctx, op.raw(1)));
  ASSIGN_OR_RETURN(const CallArguments parsed, parse(op));
  if (parsed.timeout_ms != 0) return base::InvalidArgument("ERR TIMEOUT not allowed within a DAG command");
  DagRunOp run;
  run.device = script->queue_device();
  run.stats = script->stats;
  for (size_t i = 0; i < parsed.inputs.count; ++i) run.inputs.push_back(op[parsed.input_word(i)]);
  for (size_t i = 0; i < parsed.outputs.count; ++i) run.outputs.push_back(op[parsed.outputs.first + i]);
  run.start = [&executor = ai.executor(), slot = script->slot, device = run.device,
               call = CallWithoutTensors(op, parsed), host = std::make_shared<ServerScriptHost>(ctx, read_only),
               outputs = parsed.outputs.count](infer::Tensors inputs, int64_t timeout_ms,
                                               infer::RunDone done) -> base::Status {
    infer::ScriptCall with_tensors = call;
    with_tensors.tensors = std::move(inputs);
    infer::RunRequest request;
    request.job = std::make_shared<infer::ScriptJob>(slot, std::move(with_tensors), host);
    request.timeout_ms = timeout_ms;
    request.done = CheckCount(std::move(done), outputs);
    return executor.Submit(device, std::move(request));
  };
  return run;
}

}  // namespace redoubt::ai
