#include "module/ai/script_type.h"

#include <string>
#include <utility>
#include <vector>

#include "module/ai/ai_module.h"
#include "module/ai/commands.h"
#include "module/host/command.h"

namespace redoubt::ai {
namespace {

// Given out by the server at registration; trivially destroyed.
RedisModuleType* g_script_type = nullptr;

AiModule& Ai() { return *host::StateOf<AiModule>::value; }

ScriptValue* AsScript(void* value) { return static_cast<ScriptValue*>(value); }
const ScriptValue* AsScript(const void* value) { return static_cast<const ScriptValue*>(value); }

void NoteKey(int db, const RedisModuleString* key) {
  if (key != nullptr) Ai().script_names().Note(db, host::View(key));
}

void* Load(RedisModuleIO* io, int version) {
  host::ServerRdbReader reader(io);
  auto source = LoadScriptSource(reader, version);
  if (!source.ok()) {
    RedisModule_LogIOError(io, "warning", "a script cannot be loaded: %s", source.status().message().c_str());
    return nullptr;
  }
  NoteKey(RedisModule_GetDbIdFromIO(io), RedisModule_GetKeyNameFromIO(io));
  // A script that does not compile does not fail the load: the key stays and its execution gives the reason.
  return new ScriptValue(MakeScript(std::move(*source), Ai().loader(), Ai().registry()));
}

void Save(RedisModuleIO* io, void* value) {
  host::RdbWriter writer(io);
  SaveScript(writer, *AsScript(value)->source);
}

void Rewrite(RedisModuleIO* aof, RedisModuleString* key, void* value) {
  const ScriptSource& source = *AsScript(value)->source;
  std::vector<std::string> texts = {"TAG", source.tag};
  if (!source.entry_points.empty()) {
    texts.insert(texts.end(), {"ENTRY_POINTS", std::to_string(source.entry_points.size())});
    texts.insert(texts.end(), source.entry_points.begin(), source.entry_points.end());
  }
  texts.insert(texts.end(), {"SOURCE", source.source});
  std::vector<host::String> strings(texts.begin(), texts.end());
  std::vector<RedisModuleString*> words;
  for (const host::String& string : strings) words.push_back(string.raw());
  RedisModule_EmitAOF(aof, source.entry_points.empty() ? "AI.SCRIPTSET" : "AI.SCRIPTSTORE", "scv", key,
                      source.device.c_str(), words.data(), words.size());
}

void Digest(RedisModuleDigest* digest, void* value) {
  const ScriptSource& source = *AsScript(value)->source;
  for (const std::string* text : {&source.device, &source.tag, &source.source}) {
    RedisModule_DigestAddStringBuffer(digest, text->data(), text->size());
  }
  for (const std::string& name : source.entry_points) {
    RedisModule_DigestAddStringBuffer(digest, name.data(), name.size());
  }
  RedisModule_DigestEndSequence(digest);
}

void* Copy(RedisModuleKeyOptCtx* ctx, const void* value) {
  NoteKey(RedisModule_GetToDbIdFromOptCtx(ctx), RedisModule_GetToKeyNameFromOptCtx(ctx));
  return new ScriptValue{AsScript(value)->source, AsScript(value)->slot, std::make_shared<RunStats>()};
}

void Unlink(RedisModuleKeyOptCtx* ctx, const void*) {
  const RedisModuleString* key = RedisModule_GetKeyNameFromOptCtx(ctx);
  if (key != nullptr) Ai().script_names().Forget(RedisModule_GetDbIdFromOptCtx(ctx), host::View(key));
}

}  // namespace

base::Status RegisterScriptType(host::Context& ctx) {
  RedisModuleTypeMethods methods{};
  methods.version = REDISMODULE_TYPE_METHOD_VERSION;
  methods.rdb_load = &Load;
  methods.rdb_save = &Save;
  methods.aof_rewrite = &Rewrite;
  methods.digest = &Digest;
  methods.free = [](void* value) { delete AsScript(value); };
  methods.copy2 = &Copy;
  methods.unlink2 = &Unlink;
  methods.mem_usage2 = [](RedisModuleKeyOptCtx*, const void* value, size_t) { return AsScript(value)->memory_bytes(); };
  // The compiled form is taken down by the loader's thread, whoever drops the last reference; the rest is text.
  methods.free_effort2 = [](RedisModuleKeyOptCtx*, const void*) { return size_t{1}; };
  g_script_type = RedisModule_CreateDataType(ctx.raw(), "AI_SCRIPT", kScriptEncodingVersion, &methods);
  if (g_script_type != nullptr) return base::OkStatus();
  return base::AlreadyExists("the data type AI_SCRIPT cannot be registered: another module has it");
}

base::Result<const ScriptValue*> ReadScript(host::Context& ctx, RedisModuleString* name) {
  const host::Key key = host::Key::ForRead(ctx, name);
  if (key.empty()) return base::NotFound(kNoScript);
  const ScriptValue* script = ScriptAt(key);
  if (script == nullptr) return base::InvalidArgument(host::kWrongType);
  return script;
}

const ScriptValue* ScriptAt(const host::Key& key) { return key.Get<ScriptValue>(g_script_type); }

bool HoldsScript(const host::Key& key) { return key.Holds(g_script_type); }

void SetScript(host::Key& key, ScriptValue script) { key.Set(g_script_type, new ScriptValue(std::move(script))); }

}  // namespace redoubt::ai
