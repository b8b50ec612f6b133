#pragma once

#include <functional>
#include <optional>
#include <string>

#include "module/ai/key_names.h"
#include "module/host/context.h"
#include "module/host/key.h"

namespace redoubt::ai {

// Replies [[key, tag] ...] for the noted keys of the client's database. `tag_of` gives none for a key that holds
// something else by now: its name is forgotten.
void ReplyScan(host::Context& ctx, KeyNames& names,
               const std::function<std::optional<std::string>(const host::Key& key)>& tag_of);

}  // namespace redoubt::ai
