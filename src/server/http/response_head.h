#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/http/message.h"

namespace redoubt::http {

struct HeadOptions {
  bool secure = false;  // the connection is TLS
  bool keep_alive = false;
  std::optional<uint64_t> content_length;
};

// Status line and header fields up to the blank line: the response's own fields and those that every answer carries.
std::string ResponseHead(const Response& response, const HeadOptions& options);

}  // namespace redoubt::http
