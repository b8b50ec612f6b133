#pragma once

#include <cstddef>

#include "module/host/context.h"
#include "search/aggregate.h"

namespace redoubt::ft {

// Fills a row with the fields of its hash, or JSON document, that a step asks for and adds what they take to `bytes`.
// False when the key is gone. Main thread only.
bool ReadRow(host::Context& ctx, RedisModuleString* key, const search::LoadStep& step, search::AggregateRow& row,
             size_t& bytes);

}  // namespace redoubt::ft
