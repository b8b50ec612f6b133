#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "module/host/args.h"

// What the parsers of several commands share.
namespace redoubt::ai {

// An error reply that begins with ERR.
inline base::Status Wrong(std::string_view text) { return base::InvalidArgument("ERR " + std::string(text)); }

// Reads the value of the word TIMEOUT at `*at` and moves `*at` behind it. `where` ends the text about a missing value.
base::Status ReadTimeout(const host::Args& args, size_t* at, int64_t* timeout_ms, std::string_view where = "");

}  // namespace redoubt::ai
