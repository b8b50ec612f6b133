#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "module/host/context.h"

namespace redoubt::ft {

// `CONFIG SET ai.<name>` of FT.*, reached through host::StateOf.
struct FtSettings {
  bool error_codes = false;  // ai.ft-error-codes
};

// Within OnLoad, before the settings are loaded.
base::Status RegisterFtSettings(host::Context& on_load);

// The text of an error as RediSearch has it since 8.8: with a code word in front, and for some in other words.
std::string WithErrorCode(std::string_view text);

}  // namespace redoubt::ft
