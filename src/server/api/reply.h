#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "base/result.h"
#include "server/http/message.h"

namespace redoubt::monitor {
class Monitor;
}

namespace redoubt::api {

http::Response Ok(const base::Json& json, int status = 200);
// An empty string becomes null: the API never says "" for "not known".
base::Json OrNull(const std::string& text);
base::Json TimeOrNull(const std::optional<int64_t>& wall_ms);

// The error form for a failure of a room: HTTP status and code by its kind, the room's words as the message.
http::Response Fail(const http::Request& request, const base::Status& status);
http::Response NotFound(const http::Request& request, std::string_view korean_what, std::string_view english_what,
                        std::string_view name);

// The instance that ?instance= or the body's "instance" names; the first when neither does. On failure `refusal` is
// set.
std::string ResolveInstance(const http::Request& request, const monitor::Monitor& monitor,
                            const std::optional<std::string>& from_body, std::optional<http::Response>& refusal);

}  // namespace redoubt::api
