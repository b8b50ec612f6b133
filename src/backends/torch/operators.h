#pragma once

#include "infer/backend_api.h"

namespace redoubt::backends::torch {

// Once, before anything is loaded: takes out of TorchScript's reach what touches files or other processes, whoever
// calls it (a script, a model's forward, code that runs while a model is being loaded).
void RemoveOperators();

// Once: redis.execute, redis.asList and redisAI.model_execute for scripts.
void AddScriptOperators();

// What those operators talk to on this thread while a script runs; restores the one before at its end.
class ScriptHostScope {
 public:
  explicit ScriptHostScope(const redoubt_script_host* host);
  ~ScriptHostScope();
  ScriptHostScope(const ScriptHostScope&) = delete;
  ScriptHostScope& operator=(const ScriptHostScope&) = delete;

 private:
  const redoubt_script_host* before_;
};

}  // namespace redoubt::backends::torch
