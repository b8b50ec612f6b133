#pragma once

#include <vector>

#include "module/ai/ai_module.h"
#include "module/host/command.h"

// The commands AI.*, a file each. All run on the main thread.
namespace redoubt::ai {

base::Status TensorSet(AiModule& ai, host::Context& ctx, host::Args args);
base::Status TensorGet(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ModelStore(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ModelSet(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ModelGet(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ModelDel(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ModelExecute(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ModelRun(AiModule& ai, host::Context& ctx, host::Args args);
base::Status Predict(AiModule& ai, host::Context& ctx, host::Args args);
base::Status DagExecute(AiModule& ai, host::Context& ctx, host::Args args);
base::Status DagExecuteReadOnly(AiModule& ai, host::Context& ctx, host::Args args);
base::Status DagRun(AiModule& ai, host::Context& ctx, host::Args args);
base::Status DagRunReadOnly(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ModelScan(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ScriptStore(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ScriptSet(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ScriptGet(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ScriptDel(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ScriptExecute(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ScriptRun(AiModule& ai, host::Context& ctx, host::Args args);
base::Status ScriptScan(AiModule& ai, host::Context& ctx, host::Args args);
base::Status Info(AiModule& ai, host::Context& ctx, host::Args args);
base::Status Config(AiModule& ai, host::Context& ctx, host::Args args);

std::vector<host::KeyPosition> ModelExecuteKeys(const host::Args& args);
std::vector<host::KeyPosition> ModelRunKeys(const host::Args& args);
std::vector<host::KeyPosition> ScriptExecuteKeys(const host::Args& args);
std::vector<host::KeyPosition> ScriptRunKeys(const host::Args& args);
std::vector<host::KeyPosition> PredictKeys(const host::Args& args);
std::vector<host::KeyPosition> DagExecuteKeys(const host::Args& args);
std::vector<host::KeyPosition> DagExecuteReadOnlyKeys(const host::Args& args);
std::vector<host::KeyPosition> DagRunKeys(const host::Args& args);
std::vector<host::KeyPosition> DagRunReadOnlyKeys(const host::Args& args);

// Within OnLoad: all of the above, the data types and the events.
base::Status RegisterAi(host::Context& ctx);

// The sections of INFO: RedisAI's five in their order, then ours.
void FillServerInfo(RedisModuleInfoCtx* info, int for_crash_report);

// RedisAI's texts that several commands share.
inline constexpr const char* kNoModel = "ERR model key is empty";
inline constexpr const char* kNoScript = "ERR script key is empty";
inline constexpr const char* kNoTensor = "ERR tensor key is empty or in a different shard";

}  // namespace redoubt::ai
