#pragma once

#include "base/status.h"
#include "module/ai/ai_module.h"
#include "module/ai/dag_arguments.h"
#include "module/host/args.h"
#include "module/host/context.h"

namespace redoubt::ai {

// What the four DAG commands do. The client waits once for the whole; what is to be persisted is stored when all is
// done, on the main thread, also when the client has left. A DAG without runs is answered at once.
base::Status ExecuteDag(AiModule& ai, host::Context& ctx, const host::Args& args, const DagForm& form);

}  // namespace redoubt::ai
