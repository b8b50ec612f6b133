#pragma once

#include "base/log.h"

namespace redoubt::host {

// Lines go to the server's log, on any thread. EffectsContext must exist.
base::Logger ServerLogger();

}  // namespace redoubt::host
