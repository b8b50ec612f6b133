#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "module/ai/model_value.h"
#include "module/host/args.h"

namespace redoubt::ai {

// What AI.MODELSTORE and AI.MODELSET say: everything of a ModelSource but the blob, which stays in the words from
// `first_chunk` to the end, or in the file that is the only one of these words.
struct ModelArguments {
  ModelSource source;
  size_t first_chunk = 0;
  bool from_file = false;  // AI.MODELSTORE ... FILE path
};

// Errors carry RedisAI's texts, found in RedisAI's order.
base::Result<ModelArguments> ParseModelStore(const host::Args& args);
base::Result<ModelArguments> ParseModelSet(const host::Args& args);

}  // namespace redoubt::ai
