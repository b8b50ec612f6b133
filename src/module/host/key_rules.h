#pragma once

#include <string_view>

namespace redoubt::host {

// Whether key rules, as ACL GETUSER shows them ("~app:* %R~log:*"), let a user read every key that begins with
// `prefix`. Only rules of the form text* are looked at, so the answer may be false where other patterns together would
// do, and is never true where a key is kept from the user.
bool RulesCoverPrefix(std::string_view rules, std::string_view prefix);

}  // namespace redoubt::host
