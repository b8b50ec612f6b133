#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "module/ai/tensor_arguments.h"
#include "module/host/args.h"

namespace redoubt::ai {

// What AI.PREDICT says after the model's key.
struct PredictArguments {
  struct FromKey {
    size_t word;
  };
  using Input = std::variant<FromKey, TensorArguments>;

  std::vector<Input> inputs;
  std::vector<std::string> outputs;  // names of the model's outputs; empty: all
  int64_t timeout_ms = 0;            // 0: none given
};

// `args` is the whole command:
//   AI.PREDICT key INPUTS n (KEY key | TENSOR type dim ... BLOB data)... [OUTPUTS m name ...] [TIMEOUT ms]
base::Result<PredictArguments> ParsePredict(const host::Args& args, const TensorLimits& limits);

}  // namespace redoubt::ai
