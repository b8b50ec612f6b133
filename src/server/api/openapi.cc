#include "server/api/openapi.h"

// Put there by openapi.S.
extern "C" {
extern const char redoubt_openapi_begin[];
extern const char redoubt_openapi_end[];
}

namespace redoubt::api {

std::string_view OpenApiDocument() {
  return {redoubt_openapi_begin, static_cast<size_t>(redoubt_openapi_end - redoubt_openapi_begin)};
}

}  // namespace redoubt::api
