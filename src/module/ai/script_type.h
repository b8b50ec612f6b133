#pragma once

#include "module/ai/script_value.h"
#include "module/host/context.h"
#include "module/host/key.h"

namespace redoubt::ai {

// The data type of scripts in the keyspace, AI_SCRIPT. Registered once in OnLoad.
base::Status RegisterScriptType(host::Context& ctx);

// The script at the key `name`, valid until the command ends or changes the key. NotFound when there is no such key,
// InvalidArgument when it holds something else, both with RedisAI's wire text.
base::Result<const ScriptValue*> ReadScript(host::Context& ctx, RedisModuleString* name);

// The value of `key` when it is a script, else null.
const ScriptValue* ScriptAt(const host::Key& key);
bool HoldsScript(const host::Key& key);
void SetScript(host::Key& key, ScriptValue script);

}  // namespace redoubt::ai
