#pragma once

#include "base/status.h"
#include "module/host/context.h"

namespace redoubt::ft {

// Registers the type that owns the definitions of all indexes in an RDB (read_definitions.h), within OnLoad. Also where
// FT.* is not ours: what is found is skipped then.
base::Status RegisterDefinitionsType(host::Context& on_load);

}  // namespace redoubt::ft
