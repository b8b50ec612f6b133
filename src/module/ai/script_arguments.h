#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "module/ai/script_value.h"
#include "module/host/args.h"

namespace redoubt::ai {

// What AI.SCRIPTSTORE and AI.SCRIPTSET say. Errors carry RedisAI's texts, found in RedisAI's order.
base::Result<ScriptSource> ParseScriptStore(const host::Args& args);
base::Result<ScriptSource> ParseScriptSet(const host::Args& args);

// Words [first, first + count).
struct WordRange {
  size_t first = 0;
  size_t count = 0;
};

// Which words of AI.SCRIPTEXECUTE or AI.SCRIPTRUN are what; the script's key is word 1, its function word 2.
struct CallArguments {
  WordRange keys;
  WordRange inputs;
  WordRange args;
  WordRange outputs;
  // SCRIPTRUN: how many inputs stand before the `$`, which is no input itself; with one, inputs after it are one list.
  std::optional<size_t> list_begin;
  int64_t timeout_ms = 0;

  // The word of input `i`: the `$` is passed over.
  size_t input_word(size_t i) const { return inputs.first + i + (list_begin && i >= *list_begin ? 1 : 0); }
};

base::Result<CallArguments> ParseScriptExecute(const host::Args& args);
base::Result<CallArguments> ParseScriptRun(const host::Args& args);

}  // namespace redoubt::ai
