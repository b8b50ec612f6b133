#pragma once

#include <nlohmann/json_fwd.hpp>

namespace redoubt::base {

// Keeps the order in which fields were written, so that replies read as they were designed.
using Json = nlohmann::ordered_json;

}  // namespace redoubt::base
