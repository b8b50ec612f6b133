#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "server/http/server.h"

namespace redoubt::http {

// What every connection works with; outlives them all.
struct SessionContext {
  const ServerOptions& options;
  const Router& router;
  const AccessPolicy& access;
  Stats& stats;
  base::Logger logger;
  base::SystemClock clock;
  base::ThreadPool quick;
  base::ThreadPool slow;
  std::unique_ptr<boost::asio::ssl::context> tls;  // null: plain HTTP

  SessionContext(const ServerOptions& o, const Router& r, const AccessPolicy& a, Stats& s, base::Logger l)
      : options(o),
        router(r),
        access(a),
        stats(s),
        logger(std::move(l)),
        quick("http-quick", o.quick_threads, o.quick_queue),
        slow("http-slow", o.slow_threads, o.slow_queue) {}
};

// Serves one accepted connection until it ends, on the socket's executor (a strand).
void ServeConnection(boost::asio::ip::tcp::socket socket, SessionContext& context);

}  // namespace redoubt::http
