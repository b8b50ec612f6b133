#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/http/message.h"
#include "server/http/router.h"

namespace redoubt::http {

// "127.0.0.1:8000", "[::1]:8000" or "localhost:8000". The host must be an IP address or localhost.
struct Address {
  std::string ip;
  uint16_t port = 0;
  bool loopback = true;

  std::string ToString() const;  // an IPv6 address in brackets
};
base::Result<Address> ParseAddress(std::string_view text);

// How callers prove who they are, and what keeps other web pages out.
struct AccessOptions {
  std::string token{};  // empty: no token is asked for
  bool tls = false;
  bool behind_proxy = false;                 // a proxy in front ends TLS
  std::vector<std::string> allowed_hosts{};  // names, beside localhost and IP addresses, that Host may carry
};

// Refuses, with what to do about it, an address other than loopback without a token and TLS, and a token that is too
// short to resist guessing.
base::Status CheckExposure(const Address& address, const AccessOptions& options);

// The name of the cookie that stands for the token in a browser.
inline constexpr std::string_view kSessionCookie = "redoubt_session";

// Decides from the head of a request whether it may go on. Pure computing: runs on I/O threads. Immutable.
class AccessPolicy {
 public:
  explicit AccessPolicy(AccessOptions options) : options_(std::move(options)) {}

  // Host (DNS rebinding) and Origin (other sites' pages), for every request. A refusal or nothing.
  std::optional<Response> CheckSource(const Request& head) const;
  // The token, where the route asks for it, and the content type of a body.
  std::optional<Response> CheckCaller(const Request& head, const RouteOptions& route, bool has_body,
                                      int64_t now_ms) const;

  bool token_required() const { return !options_.token.empty(); }
  bool TokenMatches(std::string_view token) const;
  // By bearer token or cookie; always true when no token is required.
  bool Authenticated(const Request& head, int64_t now_ms) const;
  // Set-Cookie values. The cookie holds an expiry and its MAC under the token, never the token.
  std::string SessionCookie(int64_t now_ms) const;
  std::string ClearedCookie() const;

 private:
  bool HostAllowed(std::string_view host) const;
  bool CookieValid(std::string_view cookie, int64_t now_ms) const;

  const AccessOptions options_;
};

}  // namespace redoubt::http
