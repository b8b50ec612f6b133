#include "server/http/stream_connection.h"

namespace redoubt::http {
namespace {

using boost::asio::awaitable;
using boost::asio::ip::tcp;

class PlainConnection : public StreamConnection<boost::beast::tcp_stream> {
 public:
  using StreamConnection::StreamConnection;

  bool secure() const override { return false; }
  awaitable<Error> Handshake() override { co_return Error(); }
  void EndSending() override { ShutDownSocket(tcp::socket::shutdown_send); }
  awaitable<void> ShutDown() override {
    ShutDownSocket(tcp::socket::shutdown_both);
    co_return;
  }
};

}  // namespace

std::unique_ptr<Connection> MakePlainConnection(tcp::socket socket) {
  return std::make_unique<PlainConnection>(std::move(socket));
}

}  // namespace redoubt::http
