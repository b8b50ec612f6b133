// AI.DAGRUN    [LOAD n key ...] [PERSIST n key ...] [TIMEOUT ms] |> op ... [|> op ...]
// AI.DAGRUN_RO [LOAD n key ...] [TIMEOUT ms] |> op ... [|> op ...]      (the old forms of AI.DAGEXECUTE)
#include "module/ai/commands.h"
#include "module/ai/execute_dag.h"

namespace redoubt::ai {
namespace {

constexpr DagForm kRun = {"AI.DAGRUN", false, true};
constexpr DagForm kRunReadOnly = {"AI.DAGRUN_RO", true, true};

}  // namespace

base::Status DagRun(AiModule& ai, host::Context& ctx, host::Args args) { return ExecuteDag(ai, ctx, args, kRun); }
base::Status DagRunReadOnly(AiModule& ai, host::Context& ctx, host::Args args) {
  return ExecuteDag(ai, ctx, args, kRunReadOnly);
}

std::vector<host::KeyPosition> DagRunKeys(const host::Args& args) { return DagKeys(args, kRun); }
std::vector<host::KeyPosition> DagRunReadOnlyKeys(const host::Args& args) { return DagKeys(args, kRunReadOnly); }

}  // namespace redoubt::ai
