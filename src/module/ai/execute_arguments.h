#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "module/ai/model_value.h"
#include "module/host/args.h"

namespace redoubt::ai {

// Which words of AI.MODELEXECUTE or AI.MODELRUN are what: keys stand at [first_input, first_input + inputs) and
// [first_output, first_output + outputs).
struct ExecuteArguments {
  size_t first_input = 0;
  size_t inputs = 0;
  size_t first_output = 0;
  size_t outputs = 0;
  int64_t timeout_ms = 0;
  // Sent without "ERR " by RedisAI, and so here; empty when all is well.
  std::string raw_error;
};

// `model`: to compare counts with; null where only the keys are wanted. Errors carry RedisAI's texts, found in
// RedisAI's order.
base::Result<ExecuteArguments> ParseModelExecute(const host::Args& args, const ModelValue* model);
base::Result<ExecuteArguments> ParseModelRun(const host::Args& args, const ModelValue* model);

// RedisAI's text for a number of keys behind `keyword` (INPUTS, OUTPUTS) that is not the model's.
std::string CountMismatch(std::string_view keyword);

}  // namespace redoubt::ai
