#include "server/http/response_head.h"

#include <fmt/core.h>
#include <strings.h>

#include <algorithm>
#include <boost/beast/http/status.hpp>

namespace redoubt::http {
namespace {

// Mantine and uPlot set style attributes; scripts come from our own files only.
constexpr const char* kContentPolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

bool Has(const Response& response, const char* name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& field) { return strcasecmp(field.first.c_str(), name) == 0; });
}

}  // namespace

std::string ResponseHead(const Response& response, const HeadOptions& options) {
  namespace bhttp = boost::beast::http;
  std::string_view reason = bhttp::obsolete_reason(bhttp::int_to_status(static_cast<unsigned>(response.status)));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason);
  auto add = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  for (const auto& [name, value] : response.headers) add(name, value);
  if (!Has(response, "Cache-Control")) add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  add("X-Frame-Options", "DENY");
  add("Referrer-Policy", "no-referrer");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Cross-Origin-Resource-Policy", "same-origin");
  add("Content-Security-Policy", kContentPolicy);
  if (options.secure) add("Strict-Transport-Security", "max-age=31536000");
  if (!options.keep_alive) add("Connection", "close");
  if (options.content_length) add("Content-Length", std::to_string(*options.content_length));
  return head += "\r\n";
}

}  // namespace redoubt::http
