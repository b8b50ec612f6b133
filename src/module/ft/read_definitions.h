#pragma once

#include <vector>

#include "base/result.h"
#include "module/host/rdb.h"
#include "search/schema.h"

namespace redoubt::ft {

// The definitions of all indexes as they stand in an RDB: docs/design/ft-index.md. Documents are not in it; they are
// read again from the keys.
base::Result<std::vector<search::IndexDefinition>> ReadDefinitions(host::RdbReader& reader);

}  // namespace redoubt::ft
