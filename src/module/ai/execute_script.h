#pragma once

#include <string>
#include <vector>

#include "infer/script.h"
#include "module/ai/ai_module.h"
#include "module/ai/script_arguments.h"
#include "module/host/args.h"
#include "module/host/command.h"
#include "module/host/context.h"

namespace redoubt::ai {

using ParseCall = base::Result<CallArguments> (*)(const host::Args&);

// What AI.SCRIPTEXECUTE and AI.SCRIPTRUN do: the call takes its turn in the queue of the script's device, the client
// waits, and the results come back to the main thread as those of a model do.
base::Status ExecuteScript(AiModule& ai, host::Context& ctx, const host::Args& args, ParseCall parse);

// Function, keys and args of a call; its tensors come from elsewhere.
infer::ScriptCall CallWithoutTensors(const host::Args& args, const CallArguments& parsed);

// Why `outputs` results do not fit `wanted` names; empty when they do. With no names, what the function returns is
// dropped: it was run for its commands.
std::string ScriptCountMismatch(size_t outputs, size_t wanted);

// The keys of such a command, for ACL and cluster.
std::vector<host::KeyPosition> ScriptKeys(const host::Args& args, ParseCall parse);

}  // namespace redoubt::ai
