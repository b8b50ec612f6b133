#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::infer {

// "cpu" -> "CPU", "gpu:01" -> "GPU:1": CPU or GPU with an optional ":<digits>", fewer than 10 characters.
// Each normalized name has a queue of its own. InvalidArgument otherwise.
base::Result<std::string> NormalizeDevice(std::string_view device);

}  // namespace redoubt::infer
