#pragma once

#include <functional>

#include "server/config/settings.h"

namespace redoubt::cli {

// Reads the command line and runs its subcommand; `serve` is main.cc's. Gives the exit status: 0 done, 1 it failed,
// 2 the command line or a setting is wrong.
int Run(int argc, char** argv, const std::function<int(const config::Settings&)>& serve);

}  // namespace redoubt::cli
