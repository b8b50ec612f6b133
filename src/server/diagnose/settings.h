#pragma once

#include <string_view>

namespace redoubt::diagnose {

// True for a setting of redis.conf that the diagnosis knows ("maxmemory-policy").
bool IsSetting(std::string_view name);

}  // namespace redoubt::diagnose
