#pragma once

#include <string>

#include "server/config/settings.h"

namespace redoubt::config {

// Where the program's own files lie: as set, else beside the program (../share/redoubt and ../lib/backends of its
// folder).
struct Locations {
  std::string knowledge;
  std::string model;
  std::string backends;
  std::string web;
};
Locations FindLocations(const Settings& settings);

}  // namespace redoubt::config
