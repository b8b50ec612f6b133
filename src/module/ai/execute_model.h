#pragma once

#include <string>
#include <vector>

#include "module/ai/ai_module.h"
#include "module/ai/execute_arguments.h"
#include "module/host/args.h"
#include "module/host/command.h"
#include "module/host/context.h"

namespace redoubt::ai {

using ParseExecute = base::Result<ExecuteArguments> (*)(const host::Args&, const ModelValue*);

// What AI.MODELEXECUTE and AI.MODELRUN do. One hop: the inputs are shared with a worker, the client waits, and the
// outputs come back to the main thread, where they are stored and replicated also when the client has left.
base::Status ExecuteModel(AiModule& ai, host::Context& ctx, const host::Args& args, ParseExecute parse);

// Why so many outputs do not fit so many keys; empty when they do.
std::string ModelCountMismatch(size_t outputs, size_t keys);

// The keys of such a command, for ACL and cluster.
std::vector<host::KeyPosition> ExecuteKeys(const host::Args& args, ParseExecute parse);

}  // namespace redoubt::ai
