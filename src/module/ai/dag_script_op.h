#pragma once

#include "module/ai/dag_ops.h"
#include "module/ai/execute_script.h"

namespace redoubt::ai {

// AI.SCRIPTEXECUTE and AI.SCRIPTRUN within a DAG; `op` is a command by itself. Its tensors are local names, its script
// and what it declares by KEYS are keys. `read_only`: its commands may not write.
base::Result<DagRunOp> ReadScriptOp(AiModule& ai, host::Context& ctx, const host::Args& op, ParseCall parse,
                                    bool read_only);

}  // namespace redoubt::ai
