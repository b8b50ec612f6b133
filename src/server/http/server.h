#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "server/http/access.h"
#include "server/http/router.h"
#include "server/http/stats.h"

namespace redoubt::http {

struct ServerOptions {
  std::vector<Address> listen;  // every one serves the same routes
  std::string tls_cert;         // PEM files; both or neither
  std::string tls_key;

  size_t max_connections = 10'000;
  size_t max_header_bytes = 16u << 10;
  int header_timeout_ms = 10'000;  // from the first byte of a request to the end of its header
  int body_timeout_ms = 60'000;
  int write_timeout_ms = 60'000;
  int idle_timeout_ms = 75'000;      // between two requests of one connection
  int stream_keepalive_ms = 15'000;  // a comment line on quiet event streams
  size_t io_threads = 2;
  size_t quick_threads = 4;
  size_t quick_queue = 256;  // requests that wait for a thread; more are refused with 503
  size_t slow_threads = 16;
  size_t slow_queue = 64;
};

// HTTP/1.1 over Boost.Beast: I/O threads read and write, handlers run on two bounded worker pools. Every wait has a
// limit, every refusal is an answer in the error form. Thousands of event streams cost a socket and a queue each.
class Server {
 public:
  // Binds every address. AlreadyExists when a port is taken, PermissionDenied when it may not be bound.
  // `router`, `access` and `stats` outlive the server.
  static base::Result<std::unique_ptr<Server>> Start(const ServerOptions& options, const Router& router,
                                                     const AccessPolicy& access, Stats& stats, base::Logger logger);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // As bound: a port 0 is replaced by the one that was given.
  const std::vector<Address>& addresses() const;

  // Accepts no more, waits for running handlers, then drops every connection. Idempotent.
  void Stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::http
