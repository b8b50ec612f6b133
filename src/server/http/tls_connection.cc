#include <boost/beast/ssl/ssl_stream.hpp>

#include "server/http/stream_connection.h"

namespace redoubt::http {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;

class TlsConnection : public StreamConnection<boost::beast::ssl_stream<boost::beast::tcp_stream>> {
 public:
  using StreamConnection::StreamConnection;

  bool secure() const override { return true; }
  awaitable<Error> Handshake() override {
    auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kNoThrow);
    co_return error;
  }
  // A half-closed TCP stream would look like a truncation attack to the other side.
  void EndSending() override {}
  awaitable<void> ShutDown() override {
    [[maybe_unused]] auto [error] = co_await stream_.async_shutdown(kNoThrow);
    ShutDownSocket(tcp::socket::shutdown_both);
  }
};

}  // namespace

std::unique_ptr<Connection> MakeTlsConnection(tcp::socket socket, asio::ssl::context& tls) {
  return std::make_unique<TlsConnection>(boost::beast::tcp_stream(std::move(socket)), tls);
}

}  // namespace redoubt::http
