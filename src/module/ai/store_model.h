#pragma once

#include "module/ai/ai_module.h"
#include "module/ai/model_arguments.h"
#include "module/host/args.h"
#include "module/host/context.h"

namespace redoubt::ai {

// What AI.MODELSTORE and AI.MODELSET do after parsing. Where the client can wait, the blob is put together and the
// session built on the loader's thread, the key appears when that is done, and a failure is the reply. Elsewhere
// (MULTI, scripts, AOF, from a primary) the blob is stored at once and the session follows: its first execution waits
// for it.
base::Status StoreModel(AiModule& ai, host::Context& ctx, const host::Args& args, ModelArguments parsed);

}  // namespace redoubt::ai
