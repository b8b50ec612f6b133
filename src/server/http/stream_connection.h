#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <utility>

#include "server/http/connection.h"

namespace redoubt::http {

inline constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

// What both kinds of stream do alike.
template <class Stream>
class StreamConnection : public Connection {
 public:
  template <class... Args>
  explicit StreamConnection(Args&&... args) : stream_(std::forward<Args>(args)...) {}

  void ExpiresAfter(std::chrono::milliseconds time) override { tcp().expires_after(time); }
  void NeverExpires() override { tcp().expires_never(); }

  boost::asio::awaitable<ReadResult> ReadSome(boost::asio::mutable_buffer into) override {
    auto [error, size] = co_await stream_.async_read_some(into, kNoThrow);
    co_return ReadResult{error, size};
  }

  boost::asio::awaitable<Error> Write(Buffers bytes) override {
    auto [error, size] = co_await boost::asio::async_write(stream_, bytes, kNoThrow);
    co_return error;
  }

 protected:
  boost::beast::tcp_stream& tcp() { return boost::beast::get_lowest_layer(stream_); }

  void ShutDownSocket(boost::asio::ip::tcp::socket::shutdown_type what) {
    Error ignored;  // it may be gone already
    tcp().socket().shutdown(what, ignored);
  }

  Stream stream_;
};

}  // namespace redoubt::http
