#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <vector>

namespace redoubt::http {

// The bytes of one accepted connection, plain or TLS. Everything that knows the kind of stream is behind it, so that
// Asio's and Beast's templates are compiled for these few operations and not for a whole session of either kind.
// On the socket's executor only; one operation at a time.
class Connection {
 public:
  using Error = boost::system::error_code;
  using Buffers = std::vector<boost::asio::const_buffer>;
  struct ReadResult {
    Error error;
    size_t size = 0;
  };

  virtual ~Connection() = default;

  virtual bool secure() const = 0;
  // The time that the operations from here on have in all; the stream closes its socket when it is over.
  virtual void ExpiresAfter(std::chrono::milliseconds time) = 0;
  virtual void NeverExpires() = 0;
  // Before anything else. Does nothing on a plain connection.
  virtual boost::asio::awaitable<Error> Handshake() = 0;
  virtual boost::asio::awaitable<ReadResult> ReadSome(boost::asio::mutable_buffer into) = 0;
  // All of it; the bytes live until then.
  virtual boost::asio::awaitable<Error> Write(Buffers bytes) = 0;
  // Says that nothing more will be sent, while the other side may go on.
  virtual void EndSending() = 0;
  virtual boost::asio::awaitable<void> ShutDown() = 0;
};

std::unique_ptr<Connection> MakePlainConnection(boost::asio::ip::tcp::socket socket);
// `tls` outlives the connection.
std::unique_ptr<Connection> MakeTlsConnection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls);

}  // namespace redoubt::http
