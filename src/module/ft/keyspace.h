#pragma once

#include "base/status.h"
#include "module/ft/ft_module.h"

namespace redoubt::ft {

// Keeps the indexes current: key events, FLUSHDB, SWAPDB, loading. Within OnLoad.
base::Status SubscribeToKeyspace(host::Context& on_load);

}  // namespace redoubt::ft
