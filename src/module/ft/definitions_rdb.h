#pragma once

#include "base/result.h"
#include "module/ft/ft_module.h"
#include "module/host/rdb.h"

namespace redoubt::ft {

// The definitions of all indexes as part of an RDB: docs/design/ft-rdb.md has the format. Documents are not in it;
// they are read again from the keys.
base::Result<std::vector<search::IndexDefinition>> ReadDefinitions(host::RdbReader& reader);

// Registers the type that owns that part, within OnLoad. Also where FT.* is not ours: what is found is skipped then.
base::Status RegisterDefinitionsType(host::Context& on_load);

}  // namespace redoubt::ft
