#include "server/http/server.h"

#include <fmt/core.h>
#include <pthread.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <thread>

#include "server/http/session.h"

namespace redoubt::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

base::Status BindFailure(const Address& address, const boost::system::error_code& error) {
  if (error == asio::error::address_in_use) {
    return base::AlreadyExists(fmt::format(
        "port {} is taken by another program (see `ss -ltnp 'sport = :{}'`): stop it, or choose another port",
        address.port, address.port));
  }
  if (error == asio::error::access_denied) {
    return base::PermissionDenied(
        fmt::format("{} may not be bound: ports below 1024 need rights, choose another", address.ToString()));
  }
  return base::Unavailable(fmt::format("cannot listen on {}: {}", address.ToString(), error.message()));
}

base::Result<std::unique_ptr<asio::ssl::context>> LoadTls(const ServerOptions& options) {
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  boost::system::error_code error;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                   asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  tls->use_certificate_chain_file(options.tls_cert, error);
  if (error) return base::InvalidArgument(fmt::format("--tls-cert {}: {}", options.tls_cert, error.message()));
  tls->use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  if (error)
    return base::InvalidArgument(
        fmt::format("--tls-key {}: {} (or it does not fit the certificate)", options.tls_key, error.message()));
  return tls;
}

}  // namespace

struct Server::Impl {
  Impl(const ServerOptions& o, const Router& router, const AccessPolicy& access, Stats& stats, base::Logger logger)
      : options(o), context(options, router, access, stats, std::move(logger)) {}

  // Listens and accepts one connection after the other.
  struct Listener {
    Listener(asio::io_context& io, SessionContext& c) : acceptor(io), retry(io), context(c), io(io) {}

    base::Result<Address> Bind(const Address& address) {
      tcp::endpoint endpoint(asio::ip::make_address(address.ip), address.port);
      boost::system::error_code error;
      acceptor.open(endpoint.protocol(), error);
      if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
      if (!error) acceptor.bind(endpoint, error);
      if (!error) acceptor.listen(1024, error);
      if (error) return BindFailure(address, error);
      Address bound = address;
      bound.port = acceptor.local_endpoint().port();
      return bound;
    }

    void Accept() {
      acceptor.async_accept(asio::make_strand(io), [this](boost::system::error_code error, auto socket) {
        if (error == asio::error::operation_aborted) return;
        if (error) return AcceptLater(error);  // out of descriptors, most likely
        if (context.stats.open_connections < static_cast<int64_t>(context.options.max_connections)) {
          ServeConnection(tcp::socket(std::move(socket)), context);
        } else {
          ++context.stats.overloaded;  // closed unanswered: an answer would cost what is short
        }
        Accept();
      });
    }

    void AcceptLater(const boost::system::error_code& error) {
      context.logger.Warning("cannot accept a connection: {}", error.message());
      retry.expires_after(std::chrono::milliseconds(200));
      retry.async_wait([this](boost::system::error_code stopped) {
        if (!stopped) Accept();
      });
    }

    tcp::acceptor acceptor;
    asio::steady_timer retry;
    SessionContext& context;
    asio::io_context& io;
  };

  const ServerOptions options;
  std::vector<Address> bound;
  SessionContext context;  // outlives the connections that io owns
  asio::io_context io;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::thread> threads;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

base::Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, const Router& router,
                                                    const AccessPolicy& access, Stats& stats, base::Logger logger) {
  auto impl = std::make_unique<Impl>(options, router, access, stats, std::move(logger));
  if (!options.tls_cert.empty()) {
    ASSIGN_OR_RETURN(impl->context.tls, LoadTls(options));
  }
  for (const Address& address : options.listen) {
    auto listener = std::make_unique<Impl::Listener>(impl->io, impl->context);
    ASSIGN_OR_RETURN(Address bound, listener->Bind(address));
    impl->bound.push_back(std::move(bound));
    impl->listeners.push_back(std::move(listener));
  }
  for (auto& listener : impl->listeners) listener->Accept();
  for (size_t i = 0; i < options.io_threads; ++i) {
    impl->threads.emplace_back([raw = impl.get()] {
      auto guard = asio::make_work_guard(raw->io);
      raw->io.run();
    });
    pthread_setname_np(impl->threads.back().native_handle(), "http-io");
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

const std::vector<Address>& Server::addresses() const { return impl_->bound; }

// Connections first, then the workers: a worker that ends later posts its answer to a context that no longer runs.
void Server::Stop() {
  impl_->io.stop();
  for (std::thread& thread : impl_->threads) {
    if (thread.joinable()) thread.join();
  }
  impl_->context.quick.Stop();
  impl_->context.slow.Stop();
}

Server::~Server() { Stop(); }

}  // namespace redoubt::http
