#pragma once

#include <string>
#include <string_view>

namespace redoubt::diagnose {

// Replaces passwords, tokens, e-mail addresses, phone numbers and Korean resident numbers by "<redacted:kind>". Lines
// stay lines, so that line numbers hold. Works on UTF-8.
std::string Redact(std::string_view text);

// The value of a metric or setting. Where its name says that it is a secret ("requirepass"), all of it is replaced.
std::string RedactValue(std::string_view name, std::string_view value);

}  // namespace redoubt::diagnose
