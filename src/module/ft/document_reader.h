#pragma once

#include <string_view>

#include "module/ft/index_registry.h"
#include "module/host/api.h"

namespace redoubt::ft {

std::string_view View(const RedisModuleString* string);

// Brings `entry`, an index of hashes, up to date with a key, if it covers it: its fields are read and indexed, or the
// document leaves the index when `key` is null or no hash. Main thread only.
void IndexHash(RedisModuleString* name, RedisModuleKey* key, IndexEntry& entry);

// The same for an index of JSON documents. Not while the key is open or in a callback of RM_Scan: reading the document
// may expire it, and the server frees the value. `type` is that of the key (REDISMODULE_KEYTYPE_*), as it was just now.
void IndexJson(RedisModuleString* name, int type, IndexEntry& entry);

}  // namespace redoubt::ft
