#pragma once

#include <string_view>

namespace redoubt::api {

// openapi.json, as it was when this program was built. It lies in the program itself.
std::string_view OpenApiDocument();

}  // namespace redoubt::api
