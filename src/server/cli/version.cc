#include "server/api/version.h"

#include <fmt/core.h>

#include "base/build_info.h"
#include "server/cli/commands.h"

namespace redoubt::cli {

int ShowVersion() {
  fmt::print("redoubt {} ({}, commit {})\n", api::kVersion, api::kBuild, base::GitSha());
  return 0;
}

}  // namespace redoubt::cli
