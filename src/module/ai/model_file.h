#pragma once

#include <string>

#include "base/memory.h"
#include "base/result.h"

namespace redoubt::ai {

// The bytes of a model's file for AI.MODELSTORE ... FILE. `path` must lie in `directory` (ai.model-directory) and be a
// regular file. Errors are wire texts. Reads from disk: not on the main thread.
base::Result<base::Buffer> ReadModelFile(const std::string& directory, const std::string& path,
                                         base::MemoryResource& memory);

}  // namespace redoubt::ai
