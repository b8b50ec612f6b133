#include "server/api/version.h"

#include <fmt/core.h>

#include "server/cli/commands.h"

namespace redoubt::cli {

int ShowVersion() {
  fmt::print("redoubt {} ({})\n", api::kVersion, api::kBuild);
  return 0;
}

}  // namespace redoubt::cli
