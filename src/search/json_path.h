#pragma once

#include <string_view>

namespace redoubt::search {

// Whether a path in a JSON document may find more than one value: `$.a[*]`, `$..a`, `$.a[0,1]`, `$.a[1:]`,
// `$.a[?(@.b)]`.
bool MayFindSeveral(std::string_view path);

}  // namespace redoubt::search
