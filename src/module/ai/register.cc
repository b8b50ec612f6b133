// Tells the server what AI.* offers. The order of the table is the order of the manual.
#include <string_view>

#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/ai/script_type.h"
#include "module/host/key.h"
#include "module/host/server_events.h"

namespace redoubt::ai {
namespace {

// Arity is left to the handlers (0): the server would answer with the registered name, clients of RedisAI expect the
// name as they sent it.
constexpr int kRead = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS;
constexpr int kOverwrite = REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_UPDATE;
constexpr int kRemove = REDISMODULE_CMD_KEY_RM | REDISMODULE_CMD_KEY_DELETE;

const host::Command kCommands[] = {
    {"ai.tensorset", "write deny-oom", &host::Entry<&TensorSet>, 1, 1, 1, kOverwrite, 0,
     "Stores a tensor: a type, a shape and its data as a blob or as values.", "O(N) in the bytes of the tensor",
     "0.1.0", "ai write"},
    {"ai.tensorget", "readonly", &host::Entry<&TensorGet>, 1, 1, 1, kRead, 0,
     "Returns a tensor's type and shape, and its data as a blob or as values.", "O(N) in the bytes of the tensor",
     "0.1.0", "ai read"},
    {"ai.modelstore", "write deny-oom", &host::Entry<&ModelStore>, 1, 1, 1, kOverwrite, 0,
     "Stores a model; its session is built in the background.", "O(N) in the bytes of the model", "0.1.0", "ai write"},
    {"ai.modelset", "write deny-oom", &host::Entry<&ModelSet>, 1, 1, 1, kOverwrite, 0, "The old form of AI.MODELSTORE.",
     "O(N) in the bytes of the model", "0.1.0", "ai write"},
    {"ai.modelget", "readonly", &host::Entry<&ModelGet>, 1, 1, 1, kRead, 0,
     "Returns what is known about a model, and its blob.", "O(N) in the bytes of the model", "0.1.0", "ai read"},
    {"ai.modeldel", "write", &host::Entry<&ModelDel>, 1, 1, 1, kRemove, 0, "Removes a model.", "O(1)", "0.1.0",
     "ai write"},
    {"ai.modelexecute", "write deny-oom getkeys-api", &host::EntryWithKeys<&ModelExecute, &ModelExecuteKeys>, 1, 1, 1,
     kRead, 0, "Runs a model on tensors and stores its outputs as tensors.", "that of the model", "0.1.0", "ai write"},
    {"ai.modelrun", "write deny-oom getkeys-api", &host::EntryWithKeys<&ModelRun, &ModelRunKeys>, 1, 1, 1, kRead, 0,
     "The old form of AI.MODELEXECUTE.", "that of the model", "0.1.0", "ai write"},
    {"ai.predict", "readonly getkeys-api", &host::EntryWithKeys<&Predict, &PredictKeys>, 1, 1, 1, kRead, 0,
     "Runs a model on tensors given as keys or in the command and returns its outputs.", "that of the model", "0.1.0",
     "ai read"},
    {"ai.dagexecute", "write deny-oom getkeys-api", &host::EntryWithKeys<&DagExecute, &DagExecuteKeys>, 3, 3, 1, kRead,
     0, "Runs models and scripts that feed each other; stores only what is asked for.", "that of its operations",
     "0.1.0", "ai write"},
    {"ai.dagexecute_ro", "readonly getkeys-api", &host::EntryWithKeys<&DagExecuteReadOnly, &DagExecuteReadOnlyKeys>, 3,
     3, 1, kRead, 0, "As AI.DAGEXECUTE, for replicas: stores nothing.", "that of its operations", "0.1.0", "ai read"},
    {"ai.dagrun", "write deny-oom getkeys-api", &host::EntryWithKeys<&DagRun, &DagRunKeys>, 3, 3, 1, kRead, 0,
     "The old form of AI.DAGEXECUTE.", "that of its operations", "0.1.0", "ai write"},
    {"ai.dagrun_ro", "readonly getkeys-api", &host::EntryWithKeys<&DagRunReadOnly, &DagRunReadOnlyKeys>, 3, 3, 1, kRead,
     0, "The old form of AI.DAGEXECUTE_RO.", "that of its operations", "0.1.0", "ai read"},
    {"ai._modelscan", "readonly", &host::Entry<&ModelScan>, 0, 0, 0, 0, 0, "Lists the models of this database.",
     "O(N) in the number of models", "0.1.0", "ai read"},
    {"ai.scriptstore", "write deny-oom", &host::Entry<&ScriptStore>, 1, 1, 1, kOverwrite, 0,
     "Stores a TorchScript; it is compiled in the background.", "O(N) in the bytes of the source", "0.1.0", "ai write"},
    {"ai.scriptset", "write deny-oom", &host::Entry<&ScriptSet>, 1, 1, 1, kOverwrite, 0,
     "The old form of AI.SCRIPTSTORE.", "O(N) in the bytes of the source", "0.1.0", "ai write"},
    {"ai.scriptget", "readonly", &host::Entry<&ScriptGet>, 1, 1, 1, kRead, 0,
     "Returns what is known about a script, and its source.", "O(N) in the bytes of the source", "0.1.0", "ai read"},
    {"ai.scriptdel", "write", &host::Entry<&ScriptDel>, 1, 1, 1, kRemove, 0, "Removes a script.", "O(1)", "0.1.0",
     "ai write"},
    {"ai.scriptexecute", "write deny-oom getkeys-api", &host::EntryWithKeys<&ScriptExecute, &ScriptExecuteKeys>, 1, 1,
     1, kRead, 0, "Runs a function of a script and stores its results as tensors.", "that of the function", "0.1.0",
     "ai write"},
    {"ai.scriptrun", "write deny-oom getkeys-api", &host::EntryWithKeys<&ScriptRun, &ScriptRunKeys>, 1, 1, 1, kRead, 0,
     "The old form of AI.SCRIPTEXECUTE.", "that of the function", "0.1.0", "ai write"},
    {"ai._scriptscan", "readonly", &host::Entry<&ScriptScan>, 0, 0, 0, 0, 0, "Lists the scripts of this database.",
     "O(N) in the number of scripts", "0.1.0", "ai read"},
    {"ai.info", "readonly", &host::Entry<&Info>, 1, 1, 1, kRead, 0,
     "Returns or resets a model's or script's run statistics.", "O(1)", "0.1.0", "ai read"},
    {"ai.config", "write", &host::Entry<&Config>, 0, 0, 0, 0, 0, "Reads and changes settings; loads a backend.", "O(1)",
     "0.1.0", "ai admin dangerous"},
};

// A model or script that came to another name: RENAME, MOVE, COPY (the copy callback has noted that one already).
int OnKeyEvent(RedisModuleCtx* raw, int /*type*/, const char* event, RedisModuleString* name) {
  const std::string_view what = event;
  if (what != "rename_to" && what != "move_to") return REDISMODULE_OK;
  host::Context ctx(raw);
  const host::Key key = host::Key::ForRead(ctx, name);
  AiModule& ai = *host::StateOf<AiModule>::value;
  if (HoldsModel(key)) ai.model_names().Note(ctx.db(), host::View(name));
  if (HoldsScript(key)) ai.script_names().Note(ctx.db(), host::View(name));
  return REDISMODULE_OK;
}

void OnFlush(RedisModuleCtx*, RedisModuleEvent, uint64_t subevent, void* data) {
  if (subevent != REDISMODULE_SUBEVENT_FLUSHDB_START) return;
  const int db = static_cast<RedisModuleFlushInfo*>(data)->dbnum;
  host::StateOf<AiModule>::value->model_names().ForgetDatabase(db);
  host::StateOf<AiModule>::value->script_names().ForgetDatabase(db);
}

void OnSwap(RedisModuleCtx*, RedisModuleEvent, uint64_t, void* data) {
  const auto* swap = static_cast<RedisModuleSwapDbInfo*>(data);
  host::StateOf<AiModule>::value->model_names().SwapDatabases(swap->dbnum_first, swap->dbnum_second);
  host::StateOf<AiModule>::value->script_names().SwapDatabases(swap->dbnum_first, swap->dbnum_second);
}

}  // namespace

base::Status RegisterAi(host::Context& ctx) {
  RETURN_IF_ERROR(RegisterDataTypes(ctx));
  RETURN_IF_ERROR(RegisterScriptType(ctx));
  host::AddAclCategory(ctx, "ai");
  for (const host::Command& command : kCommands) RETURN_IF_ERROR(host::RegisterCommand(ctx, command));
  RedisModule_SubscribeToKeyspaceEvents(ctx.raw(), REDISMODULE_NOTIFY_GENERIC, &OnKeyEvent);
  RETURN_IF_ERROR(host::SubscribeToServerEvent(ctx, RedisModuleEvent_FlushDB, &OnFlush));
  RETURN_IF_ERROR(host::SubscribeToServerEvent(ctx, RedisModuleEvent_SwapDB, &OnSwap));
  return base::OkStatus();
}

}  // namespace redoubt::ai
