// AI.DAGEXECUTE    [LOAD n key ...] [PERSIST n key ...] [ROUTING tag] [TIMEOUT ms] |> op ... [|> op ...]
// AI.DAGEXECUTE_RO [LOAD n key ...] [ROUTING tag] [TIMEOUT ms] |> op ... [|> op ...]
#include "module/ai/commands.h"
#include "module/ai/execute_dag.h"

namespace redoubt::ai {
namespace {

constexpr DagForm kExecute = {"AI.DAGEXECUTE", false, false};
constexpr DagForm kExecuteReadOnly = {"AI.DAGEXECUTE_RO", true, false};

}  // namespace

base::Status DagExecute(AiModule& ai, host::Context& ctx, host::Args args) {
  return ExecuteDag(ai, ctx, args, kExecute);
}
base::Status DagExecuteReadOnly(AiModule& ai, host::Context& ctx, host::Args args) {
  return ExecuteDag(ai, ctx, args, kExecuteReadOnly);
}

std::vector<host::KeyPosition> DagExecuteKeys(const host::Args& args) { return DagKeys(args, kExecute); }
std::vector<host::KeyPosition> DagExecuteReadOnlyKeys(const host::Args& args) {
  return DagKeys(args, kExecuteReadOnly);
}

}  // namespace redoubt::ai
