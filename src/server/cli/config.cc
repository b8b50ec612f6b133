#include <fmt/core.h>

#include "server/cli/commands.h"
#include "server/config/locations.h"

namespace redoubt::cli {

int ShowConfig(const config::Settings& settings) {
  if (settings.file().empty()) {
    fmt::print("# no settings file; DATA/redoubt.env or --config FILE is read\n\n");
  } else {
    fmt::print("# settings file: {}\n\n", settings.file());
  }
  fmt::print("{}", settings.Describe());
  config::Locations found = config::FindLocations(settings);
  fmt::print("\n# found\n# knowledge  {}\n# model      {}\n# backends   {}\n# web        {}\n", found.knowledge,
             found.model, found.backends, found.web);
  return 0;
}

}  // namespace redoubt::cli
