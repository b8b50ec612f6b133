#pragma once

#include <string_view>

#include "module/ft/index_registry.h"
#include "module/host/api.h"

namespace redoubt::ft {

std::string_view View(const RedisModuleString* string);

// Brings `entry` up to date with a key, if it covers it: its fields are read and indexed, or the document leaves the
// index when `key` is null or no hash. Main thread only.
void IndexKey(RedisModuleString* name, RedisModuleKey* key, IndexEntry& entry);

}  // namespace redoubt::ft
