#include "resp/connect_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace redoubt::resp {

using base::InvalidArgument;
using base::Result;
using base::Status;

namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return InvalidArgument("a % in the URL must be followed by two hexadecimal digits");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

Result<int> ParseInt(std::string_view text, std::string_view what, int lowest, int highest) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < lowest || value > highest) {
    return InvalidArgument(fmt::format("{} in the URL must be a number from {} to {}", what, lowest, highest));
  }
  return value;
}

// "user:pass@", "user@" or ":pass@"; the last @ ends it, so that an unencoded @ in a password still works.
Status ParseCredentials(std::string_view text, ConnectOptions& options) {
  size_t colon = text.find(':');
  ASSIGN_OR_RETURN(options.username, PercentDecode(text.substr(0, colon)));
  if (colon == std::string_view::npos) return base::OkStatus();
  ASSIGN_OR_RETURN(options.password, PercentDecode(text.substr(colon + 1)));
  return base::OkStatus();
}

Status ParseHostAndPort(std::string_view text, ConnectOptions& options) {
  std::string_view port;
  if (text.starts_with('[')) {
    size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return InvalidArgument("the URL's IPv6 address lacks its closing ]");
    options.host = std::string(text.substr(1, bracket - 1));
    port = text.substr(bracket + 1);
    if (!port.empty() && port[0] != ':') return InvalidArgument("after the URL's IPv6 address comes :port or /");
    if (!port.empty()) port.remove_prefix(1);
  } else {
    size_t colon = text.rfind(':');
    ASSIGN_OR_RETURN(options.host, PercentDecode(text.substr(0, colon)));
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  if (options.host.empty()) return InvalidArgument("the URL names no host: redis://host:6379");
  if (port.empty()) return base::OkStatus();
  ASSIGN_OR_RETURN(options.port, ParseInt(port, "the port", 1, 65535));
  return base::OkStatus();
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

}  // namespace

Result<ConnectOptions> ParseRedisUrl(std::string_view url) {
  ConnectOptions options;
  std::string_view rest = url;
  if (rest.starts_with("rediss://")) {
    options.tls.emplace();
    rest.remove_prefix(9);
  } else if (rest.starts_with("redis://")) {
    rest.remove_prefix(8);
  } else {
    return InvalidArgument("the URL must begin with redis:// or rediss://");
  }
  rest = rest.substr(0, rest.find_first_of("?#", rest.rfind('@') == std::string_view::npos ? 0 : rest.rfind('@')));
  size_t at = rest.rfind('@');
  if (at != std::string_view::npos) {
    RETURN_IF_ERROR(ParseCredentials(rest.substr(0, at), options));
    rest.remove_prefix(at + 1);
  }
  size_t slash = rest.find('/');
  RETURN_IF_ERROR(ParseHostAndPort(rest.substr(0, slash), options));
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    ASSIGN_OR_RETURN(options.db, ParseInt(rest.substr(slash + 1), "the database", 0, 1'000'000));
  }
  RETURN_IF_ERROR(Validate(options));
  return options;
}

std::string Address(const ConnectOptions& options) {
  if (options.host.find(':') != std::string::npos) return fmt::format("[{}]:{}", options.host, options.port);
  return fmt::format("{}:{}", options.host, options.port);
}

Status Validate(const ConnectOptions& options) {
  if (options.host.empty() || options.host.size() > 253 || HasControlCharacter(options.host)) {
    return InvalidArgument("host must be a name or an address of 1 to 253 characters without blanks");
  }
  if (options.port < 1 || options.port > 65535) return InvalidArgument("port must be from 1 to 65535");
  if (options.connect_timeout_ms < 1 || options.command_timeout_ms < 1) {
    return InvalidArgument("timeouts must be at least 1 ms");
  }
  if (!options.username.empty() && options.password.empty()) {
    return InvalidArgument("a username needs a password beside it");
  }
  if (options.tls && options.tls->cert.empty() != options.tls->key.empty()) {
    return InvalidArgument("a TLS client certificate needs both cert and key");
  }
  return base::OkStatus();
}

}  // namespace redoubt::resp
