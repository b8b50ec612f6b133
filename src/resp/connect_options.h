#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::resp {

struct TlsOptions {
  std::string ca;           // a PEM file, a folder of them, or PEM text; empty: the system's authorities
  std::string cert;         // client certificate (chain): PEM file or PEM text; with `key`
  std::string key;          // its private key: PEM file or PEM text
  std::string server_name;  // for SNI and the name check; empty: the host
  bool insecure_skip_verify = false;

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

// Where a Redis or Valkey listens and how to get in. A plain value; `password` and `tls->key` are secrets and never
// belong in a log line.
struct ConnectOptions {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string username;  // empty: the default user
  std::string password;  // empty: no AUTH
  std::optional<TlsOptions> tls;
  int db = 0;
  int connect_timeout_ms = 2000;
  int command_timeout_ms = 2000;
  std::string client_name = "redoubt";

  friend bool operator==(const ConnectOptions&, const ConnectOptions&) = default;
};

// redis[s]://[user:pass@]host[:port][/db], percent-encoded as URLs are; rediss means TLS with default checks.
// InvalidArgument names what is wrong, without repeating the password.
base::Result<ConnectOptions> ParseRedisUrl(std::string_view url);

// "host:port", an IPv6 address in brackets.
std::string Address(const ConnectOptions& options);

// InvalidArgument when host, port, database, timeouts or the TLS files cannot be right.
base::Status Validate(const ConnectOptions& options);

}  // namespace redoubt::resp
