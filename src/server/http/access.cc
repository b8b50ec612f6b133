#include "server/http/access.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>

namespace redoubt::http {
namespace {

constexpr size_t kMinTokenLength = 16;
constexpr int64_t kSessionSeconds = 12 * 3600;

bool IsIpv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// "[::1]:8000" -> "::1", "Localhost:80" -> "localhost". Empty for nonsense.
std::string HostName(std::string_view host) {
  if (!host.empty() && host.front() == '[') {
    size_t end = host.find(']');
    return end == std::string_view::npos ? std::string() : LowerCase(host.substr(1, end - 1));
  }
  size_t colon = host.find(':');
  if (colon != std::string_view::npos && host.find(':', colon + 1) != std::string_view::npos) return {};
  return LowerCase(host.substr(0, colon));
}

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Mac(std::string_view key, std::string_view text) {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), bytes, &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

std::string_view BearerToken(const Request& head) {
  std::string_view value = head.Header("authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (value.size() <= kScheme.size() || LowerCase(value.substr(0, kScheme.size())) != kScheme) return {};
  value.remove_prefix(kScheme.size());
  return value;
}

bool IsJson(std::string_view content_type) {
  std::string type = LowerCase(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  return type == "application/json";
}

}  // namespace

std::string Address::ToString() const {
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port) : fmt::format("[{}]:{}", ip, port);
}

base::Result<Address> ParseAddress(std::string_view text) {
  size_t colon = text.rfind(':');
  base::Status wrong = base::InvalidArgument(
      fmt::format("'{}' is no ADDRESS:PORT: write for example 127.0.0.1:8000, [::1]:8000 or 0.0.0.0:8000", text));
  if (colon == std::string_view::npos) return wrong;
  Address address;
  std::string_view port = text.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong;
  std::string host(text.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (!IsIpv4(host) && !IsIpv6(host)) return wrong;
  address.ip = host;
  address.loopback = host.starts_with("127.") || host == "::1";
  return address;
}

base::Status CheckExposure(const Address& address, const AccessOptions& options) {
  if (!options.token.empty() && options.token.size() < kMinTokenLength) {
    return base::FailedPrecondition(fmt::format(
        "the API token has {} characters and could be guessed: use at least {}, e.g. from `openssl rand -hex 32`",
        options.token.size(), kMinTokenLength));
  }
  if (address.loopback) return base::OkStatus();
  std::string missing;
  if (options.token.empty()) missing = "a token (--token-file FILE or REDOUBT_TOKEN)";
  if (!options.tls && !options.behind_proxy) {
    missing += missing.empty() ? "" : " and ";
    missing += "TLS (--tls-cert FILE --tls-key FILE, or --behind-proxy when a proxy in front ends TLS)";
  }
  if (missing.empty()) return base::OkStatus();
  return base::FailedPrecondition(
      fmt::format("{} is reachable from other machines, so it needs {}. To serve this machine only, use 127.0.0.1:{}",
                  address.ToString(), missing, address.port));
}

bool AccessPolicy::HostAllowed(std::string_view host) const {
  // A rebinding attack needs a name of the attacker's: an address or localhost is none.
  std::string name = HostName(host);
  if (name.empty()) return false;
  if (name == "localhost" || IsIpv4(name) || IsIpv6(name)) return true;
  const auto& allowed = options_.allowed_hosts;
  return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

std::optional<Response> AccessPolicy::CheckSource(const Request& head) const {
  std::string_view host = head.Header("host");
  if (!HostAllowed(host)) {
    return ErrorResponse(
        head.lang(), 403, "forbidden_host",
        {"Host 헤더의 이름은 이 서버에서 허용되지 않습니다.", "The name in the Host header is not allowed here."},
        {"localhost나 IP 주소로 접속하거나 --allow-host NAME으로 이름을 허용하세요.",
         "Use localhost or an IP address, or allow the name with --allow-host NAME."});
  }
  std::string_view origin = head.Header("origin");
  if (origin.empty()) return std::nullopt;
  size_t scheme = origin.find("://");
  if (scheme != std::string_view::npos && LowerCase(origin.substr(scheme + 3)) == LowerCase(host)) return std::nullopt;
  return ErrorResponse(
      head.lang(), 403, "forbidden_origin",
      {"다른 사이트의 페이지에서 보낸 요청은 받지 않습니다.", "Requests from other sites' pages are not accepted."},
      {"이 서버의 화면에서 호출하거나 Origin 헤더 없이 호출하세요.",
       "Call from this server's own page, or without an Origin header."});
}

std::optional<Response> AccessPolicy::CheckCaller(const Request& head, const RouteOptions& route, bool has_body,
                                                  int64_t now_ms) const {
  if (!route.open && !Authenticated(head, now_ms)) {
    Response refused =
        ErrorResponse(head.lang(), 401, "unauthorized", {"API 토큰이 필요합니다.", "An API token is needed."},
                      {"Authorization: Bearer TOKEN 헤더를 보내거나 화면에서 로그인하세요.",
                       "Send the header Authorization: Bearer TOKEN, or sign in on the page."});
    refused.Set("WWW-Authenticate", "Bearer realm=\"redoubt\"");
    return refused;
  }
  if (has_body && !IsJson(head.Header("content-type"))) {
    return ErrorResponse(
        head.lang(), 415, "unsupported_media_type", {"본문은 JSON이어야 합니다.", "The body must be JSON."},
        {"Content-Type: application/json 헤더를 보내세요.", "Send the header Content-Type: application/json."});
  }
  return std::nullopt;
}

bool AccessPolicy::TokenMatches(std::string_view token) const {
  return !options_.token.empty() && SameBytes(token, options_.token);
}

bool AccessPolicy::Authenticated(const Request& head, int64_t now_ms) const {
  if (options_.token.empty()) return true;
  if (std::string_view token = BearerToken(head); !token.empty()) return TokenMatches(token);
  std::optional<std::string> cookie = head.Cookie(kSessionCookie);
  return cookie && CookieValid(*cookie, now_ms);
}

std::string AccessPolicy::SessionCookie(int64_t now_ms) const {
  std::string expiry = std::to_string(now_ms / 1000 + kSessionSeconds);
  return fmt::format("{}={}.{}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict{}", kSessionCookie, expiry,
                     Mac(options_.token, "session " + expiry), kSessionSeconds,
                     options_.tls || options_.behind_proxy ? "; Secure" : "");
}

std::string AccessPolicy::ClearedCookie() const {
  return fmt::format("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", kSessionCookie);
}

bool AccessPolicy::CookieValid(std::string_view cookie, int64_t now_ms) const {
  size_t dot = cookie.find('.');
  if (dot == std::string_view::npos) return false;
  std::string_view expiry = cookie.substr(0, dot);
  if (!SameBytes(cookie.substr(dot + 1), Mac(options_.token, fmt::format("session {}", expiry)))) return false;
  int64_t expires_s = 0;
  std::from_chars(expiry.data(), expiry.data() + expiry.size(), expires_s);
  return now_ms / 1000 < expires_s;
}

}  // namespace redoubt::http
