#pragma once

#include "module/ai/ai_module.h"
#include "module/ai/script_value.h"
#include "module/host/args.h"
#include "module/host/context.h"

namespace redoubt::ai {

// What AI.SCRIPTSTORE and AI.SCRIPTSET do after parsing. Where the client can wait, the source is compiled on the
// loader's thread, the key appears when that is done, and a failure is the reply. Elsewhere (MULTI, scripts, AOF, from
// a primary) the source is stored at once and compiled afterwards: its first execution waits for it.
base::Status StoreScript(AiModule& ai, host::Context& ctx, const host::Args& args, ScriptSource parsed);

}  // namespace redoubt::ai
