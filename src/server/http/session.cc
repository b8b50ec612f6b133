#include "server/http/session.h"

#include <fmt/core.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>
#include <utility>

#include "server/http/connection.h"
#include "server/http/event_hub.h"
#include "server/http/response_head.h"

namespace redoubt::http {
namespace {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using asio::awaitable;
using std::chrono::milliseconds;

using Error = Connection::Error;
using Parser = bhttp::request_parser<bhttp::string_body>;

constexpr size_t kHeadReadBytes = 4096;  // what an idle connection holds
constexpr size_t kReadBytes = 65536;

// A refused upload is read and thrown away up to here, so that the client gets to see the refusal instead of a reset.
constexpr size_t kDrainBytes = size_t{256} << 20;
constexpr milliseconds kDrainTime{20'000};

Response TooLarge(base::Lang lang, size_t limit) {
  std::string size = fmt::format("{:.0f} MB", static_cast<double>(limit) / 1e6);
  return ErrorResponse(
      lang, 413, "payload_too_large",
      {fmt::format("본문이 한도 {}를 넘습니다.", size), fmt::format("The body is over the limit of {}.", size)},
      {"로그는 장애 시각 전후만 잘라 보내세요. 큰 파일은 redoubt diagnose --log FILE이 끝부분을 읽습니다.",
       "Send only the part of the log around the incident; for a large file, redoubt diagnose --log FILE reads its "
       "end."});
}

Response Overloaded(base::Lang lang) {
  Response response =
      ErrorResponse(lang, 503, "overloaded", {"처리 대기열이 가득 찼습니다.", "The queue of requests is full."},
                    {"잠시 후 다시 시도하세요.", "Try again in a moment."});
  response.Set("Retry-After", "1");
  return response;
}

Response BadRequest(base::Lang lang, std::string_view english, std::string_view korean) {
  return ErrorResponse(lang, 400, "invalid_argument", {std::string(korean), std::string(english)});
}

Response HeaderTooLarge(base::Lang lang) {
  return ErrorResponse(lang, 431, "header_too_large", {"요청 헤더가 너무 큽니다.", "The request header is too large."});
}

Response NoSuchPath(base::Lang lang, const RouteMatch& match) {
  if (match.broken)
    return BadRequest(lang, "The path holds a broken %-escape.", "경로의 % 이스케이프가 잘못되었습니다.");
  if (match.allowed.empty()) {
    return ErrorResponse(lang, 404, "not_found", {"없는 경로입니다.", "There is no such path."},
                         {"/docs에서 API를 확인하세요.", "See /docs for the API."});
  }
  Response response =
      ErrorResponse(lang, 405, "method_not_allowed",
                    {"이 경로에서 지원하지 않는 메서드입니다.", "The path does not take this method."},
                    {fmt::format("가능: {}", match.allowed), fmt::format("It takes {}.", match.allowed)});
  response.Set("Allow", match.allowed);
  return response;
}

Response NoSuchParameter(base::Lang lang, const std::string& name) {
  std::string shown = name.substr(0, 100);
  return ErrorResponse(lang, 400, "invalid_argument",
                       {fmt::format("'{}'은(는) 없는 쿼리 파라미터입니다.", shown),
                        fmt::format("There is no query parameter '{}'.", shown)},
                       {"/docs에서 파라미터 이름을 확인하세요.", "See /docs for the names of the parameters."});
}

Response RunSafely(const Handler& handler, const Request& request, const base::Logger& logger) {
  try {
    return handler(request);
  } catch (const std::exception& error) {
    // A handler that throws is a mistake of ours; the caller gets an answer and the log the reason.
    logger.Error("{} {} failed: {}", request.method, request.path, error.what());
    return ErrorResponse(
        request.lang(), 500, "internal",
        {"서버 내부 오류로 요청을 처리하지 못했습니다.", "The request failed because of an error of ours."},
        {"redoubt의 로그를 확인하세요.", "See redoubt's log."});
  }
}

// One request on its way through.
struct Exchange {
  Request request;
  const Route* route = nullptr;
  bool head_only = false;
  bool keep_alive = false;
  int64_t started_us = 0;
};

// Every co_await below stands in a statement of its own: GCC 12 mishandles temporaries of an awaited call inside a
// condition or a larger expression.
class Session {
 public:
  Session(std::unique_ptr<Connection> connection, SessionContext& context, std::string peer)
      : connection_(std::move(connection)), context_(context), peer_(std::move(peer)) {}

  awaitable<void> Run() {
    Expires(context_.options.header_timeout_ms);
    Error error = co_await connection_->Handshake();
    if (error) co_return;
    bool more = true;
    while (more) more = co_await ServeOne();
    Expires(2000);
    co_await connection_->ShutDown();
  }

 private:
  void Expires(int timeout_ms) { connection_->ExpiresAfter(milliseconds(timeout_ms)); }

  // True when the connection is good for another request.
  awaitable<bool> ServeOne() {
    bool arrived = co_await WaitForBytes();
    if (!arrived) co_return false;
    Parser parser;
    parser.header_limit(static_cast<uint32_t>(context_.options.max_header_bytes));
    parser.body_limit(std::numeric_limits<uint64_t>::max());  // checked below, where the route is known
    Expires(context_.options.header_timeout_ms);
    Error error = co_await Parse(parser, false);
    if (error) {
      co_await AnswerBrokenHeader(error);
      co_return false;
    }

    Exchange exchange = ToExchange(parser.get());
    exchange.keep_alive = parser.keep_alive();
    bool has_body = parser.content_length().value_or(0) > 0 || parser.chunked();
    std::optional<Response> refusal = Refuse(exchange, parser, has_body);
    if (refusal) {
      bool usable = co_await AnswerEarly(exchange, std::move(*refusal), has_body);
      co_return usable;
    }
    if (has_body) {
      refusal = co_await ReadBody(exchange, parser);
      if (refusal) {
        co_await AnswerEarly(exchange, std::move(*refusal), true);
        co_return false;
      }
    }
    Response response = co_await Handle(exchange);
    Record(exchange, response);
    if (response.events && !exchange.head_only) {
      co_await StreamEvents(std::move(response));
      co_return false;
    }
    bool written = co_await Write(exchange, response);
    co_return written&& exchange.keep_alive;
  }

  // The quiet time between requests, which may be longer than a header may take.
  awaitable<bool> WaitForBytes() {
    if (buffer_.size() > 0) co_return true;
    Expires(context_.options.idle_timeout_ms);
    Error error = co_await ReadMore(kHeadReadBytes);
    co_return !error;
  }

  awaitable<Error> ReadMore(size_t at_most) {
    Connection::ReadResult read = co_await connection_->ReadSome(buffer_.prepare(at_most));
    if (!read.error) buffer_.commit(read.size);
    co_return read.error;
  }

  // Until the header is there, with `to_the_end` the body too. What follows stays in the buffer for the next request.
  // What the parser does not take until it is whole (a line of the header, of a chunk, the trailers) has the header's
  // limit: the body's counts none of it.
  awaitable<Error> Parse(Parser& parser, bool to_the_end) {
    parser.eager(to_the_end);
    while (!(to_the_end ? parser.is_done() : parser.is_header_done())) {
      Error error = bhttp::error::need_more;
      if (buffer_.size() > 0) {
        error = {};
        buffer_.consume(parser.put(buffer_.data(), error));
      }
      if (!error) continue;
      if (error != bhttp::error::need_more) co_return error;
      if (buffer_.size() > context_.options.max_header_bytes) co_return bhttp::error::header_limit;
      error = co_await ReadMore(to_the_end ? kReadBytes : kHeadReadBytes);
      if (error == asio::error::eof && parser.got_some()) co_return bhttp::error::partial_message;
      if (error) co_return error;
    }
    co_return Error();
  }

  Exchange ToExchange(const bhttp::request<bhttp::string_body>& head) {
    Exchange exchange;
    exchange.started_us = context_.clock.SteadyMicros();
    Request& request = exchange.request;
    request.method = std::string(head.method_string());
    exchange.head_only = request.method == "HEAD";
    if (exchange.head_only) request.method = "GET";
    for (const auto& field : head) {
      std::string name(field.name_string());
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
      auto [at, fresh] = request.headers.emplace(std::move(name), std::string(field.value()));
      if (!fresh) at->second += (at->first == "cookie" ? "; " : ", ") + std::string(field.value());
    }
    request.peer = peer_;
    request.secure = connection_->secure();
    return exchange;
  }

  // Everything that can be said from the head alone, before a byte of the body is read.
  std::optional<Response> Refuse(Exchange& exchange, Parser& parser, bool has_body) {
    Request& request = exchange.request;
    std::string target(parser.get().target());
    size_t question = target.find('?');
    auto query =
        ParseQuery(question == std::string::npos ? std::string_view() : std::string_view(target).substr(question + 1));
    if (query) request.query = std::move(*query);
    request.path = target.substr(0, question);
    base::Lang lang = request.lang();
    if (auto refusal = context_.access.CheckSource(request)) return refusal;
    if (!query) return BadRequest(lang, "The query holds a broken %-escape.", "쿼리의 % 이스케이프가 잘못되었습니다.");
    if (request.path.empty() || request.path.front() != '/') {
      return BadRequest(lang, "The request target must start with '/'.", "요청 경로는 '/'로 시작해야 합니다.");
    }
    RouteMatch match = context_.router.Match(request.method, request.path);
    if (!match.route) return NoSuchPath(lang, match);
    exchange.route = match.route;
    request.path_params = std::move(match.params);
    const RouteOptions& route = match.route->options;
    if (auto refusal = context_.access.CheckCaller(request, route, has_body, context_.clock.WallMillis()))
      return refusal;
    if (auto unknown = UnknownParameter(*match.route, request)) return NoSuchParameter(lang, *unknown);
    if (parser.content_length().value_or(0) > route.max_body) return TooLarge(lang, route.max_body);
    parser.body_limit(route.max_body);
    return std::nullopt;
  }

  awaitable<std::optional<Response>> ReadBody(Exchange& exchange, Parser& parser) {
    if (exchange.request.Header("expect") == "100-continue") {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      bool written = co_await WriteText(kContinue);
      if (!written) co_return BadRequest(exchange.request.lang(), "The connection broke.", "연결이 끊어졌습니다.");
    }
    Expires(context_.options.body_timeout_ms);
    Error error = co_await Parse(parser, true);
    base::Lang lang = exchange.request.lang();
    if (error == bhttp::error::body_limit) co_return TooLarge(lang, exchange.route->options.max_body);
    if (error == bhttp::error::header_limit) co_return HeaderTooLarge(lang);
    if (error) co_return BadRequest(lang, "The body is not well-formed HTTP.", "본문이 올바른 HTTP 형식이 아닙니다.");
    exchange.request.body = std::move(parser.get().body());
    co_return std::nullopt;
  }

  awaitable<Response> Handle(Exchange& exchange) {
    Lane lane = exchange.route->options.lane;
    if (lane == Lane::kInline) co_return RunSafely(exchange.route->handler, exchange.request, context_.logger);
    connection_->NeverExpires();
    base::ThreadPool& pool = lane == Lane::kQuick ? context_.quick : context_.slow;
    std::optional<Response> response = co_await RunOn(pool, exchange);
    if (response) co_return std::move(*response);
    ++context_.stats.overloaded;
    co_return Overloaded(exchange.request.lang());
  }

  // Runs the handler on a worker and comes back to this connection's executor; nothing when the queue is full.
  awaitable<std::optional<Response>> RunOn(base::ThreadPool& pool, const Exchange& exchange) {
    auto start = [this, &pool, &exchange](auto completion) {
      auto done = std::make_shared<decltype(completion)>(std::move(completion));
      auto executor = asio::get_associated_executor(*done);
      bool taken = pool.TrySubmit([this, &exchange, done, executor] {
        auto response = std::make_shared<std::optional<Response>>(
            RunSafely(exchange.route->handler, exchange.request, context_.logger));
        asio::post(executor, [done, response] { std::move (*done)(std::move(*response)); });
      });
      if (!taken) asio::post(executor, [done] { std::move (*done)(std::optional<Response>()); });
    };
    std::optional<Response> response =
        co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::optional<Response>)>(
            start, asio::use_awaitable);
    co_return response;
  }

  void Record(const Exchange& exchange, const Response& response) {
    const std::string& route = exchange.route ? exchange.route->pattern : kUnmatched;
    context_.stats.Record(exchange.request.method, route, response.status,
                          context_.clock.SteadyMicros() - exchange.started_us);
  }

  awaitable<bool> Write(const Exchange& exchange, const Response& response) {
    Expires(context_.options.write_timeout_ms);
    std::string_view bytes = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
    bool bodyless = response.status == 204 || response.status == 304;
    HeadOptions options{connection_->secure(), exchange.keep_alive, std::nullopt};
    if (!bodyless) options.content_length = bytes.size();
    std::string head = ResponseHead(response, options);
    Connection::Buffers parts = {asio::buffer(head)};
    if (!bodyless && !exchange.head_only) parts.push_back(asio::buffer(bytes));
    Error error = co_await connection_->Write(std::move(parts));
    co_return !error;
  }

  // A refusal. With a body still on its way the connection cannot be used again.
  awaitable<bool> AnswerEarly(Exchange& exchange, Response refusal, bool body_unread) {
    Record(exchange, refusal);
    if (body_unread) exchange.keep_alive = false;
    bool written = co_await Write(exchange, refusal);
    if (written && body_unread) co_await Drain();
    co_return written&& exchange.keep_alive;
  }

  // A header that came too slowly is not answered: the stream has closed the socket at its deadline.
  awaitable<void> AnswerBrokenHeader(Error error) {
    if (error == asio::error::eof || error == asio::error::connection_reset || error == boost::beast::error::timeout) {
      co_return;
    }
    Exchange exchange;
    Response response =
        BadRequest(base::Lang::kKo, "The request is not well-formed HTTP.", "올바른 HTTP 요청이 아닙니다.");
    if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
      response = HeaderTooLarge(base::Lang::kKo);
    }
    co_await AnswerEarly(exchange, std::move(response), true);
  }

  awaitable<void> Drain() {
    connection_->ExpiresAfter(kDrainTime);
    connection_->EndSending();
    std::array<char, kReadBytes> waste;
    for (size_t total = 0; total < kDrainBytes;) {
      Connection::ReadResult read = co_await connection_->ReadSome(asio::buffer(waste));
      if (read.error) co_return;
      total += read.size;
    }
  }

  awaitable<void> StreamEvents(Response response) {
    ++context_.stats.open_streams;
    struct Leave {
      Stats& stats;
      ~Leave() { --stats.open_streams; }
    } leave{context_.stats};
    response.Set("Content-Type", "text/event-stream; charset=utf-8");
    response.Set("X-Accel-Buffering", "no");  // nginx would hold events back
    std::string head = ResponseHead(response, {connection_->secure(), false, std::nullopt});
    bool written = co_await WriteText(head + response.body);
    if (!written) co_return;

    auto executor = co_await asio::this_coro::executor;
    auto timer = std::make_shared<asio::steady_timer>(executor);
    EventStream& events = *response.events;
    events.OnReady([executor, weak = std::weak_ptr(timer)] {
      asio::post(executor, [weak] {
        if (auto waiting = weak.lock()) waiting->cancel();
      });
    });
    bool closed = false;
    while (!closed) {
      std::vector<EventStream::Frame> frames = events.Take(closed);
      if (!frames.empty()) {
        written = co_await WriteFrames(frames);
        if (!written) co_return;
        continue;
      }
      if (closed) break;
      timer->expires_after(milliseconds(context_.options.stream_keepalive_ms));
      auto [woken] = co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
      if (woken) continue;  // cancelled: there is news
      written = co_await WriteText(": keep-alive\n\n");
      if (!written) co_return;
    }
  }

  awaitable<bool> WriteText(std::string_view text) {
    Expires(context_.options.write_timeout_ms);
    Connection::Buffers buffers(1, asio::buffer(text));
    Error error = co_await connection_->Write(std::move(buffers));
    co_return !error;
  }

  awaitable<bool> WriteFrames(const std::vector<EventStream::Frame>& frames) {
    Connection::Buffers buffers;
    for (const EventStream::Frame& frame : frames) buffers.push_back(asio::buffer(*frame));
    Expires(context_.options.write_timeout_ms);
    Error error = co_await connection_->Write(std::move(buffers));
    co_return !error;
  }

  static inline const std::string kUnmatched = "(unmatched)";

  const std::unique_ptr<Connection> connection_;
  SessionContext& context_;
  const std::string peer_;
  boost::beast::flat_buffer buffer_;
};

struct ConnectionCount {
  explicit ConnectionCount(Stats& s) : stats(s) {
    ++stats.open_connections;
    ++stats.connections;
  }
  ~ConnectionCount() { --stats.open_connections; }
  ConnectionCount(const ConnectionCount&) = delete;
  Stats& stats;
};

awaitable<void> RunSession(std::unique_ptr<Connection> connection, SessionContext& context, std::string peer) {
  ConnectionCount count(context.stats);
  Session session(std::move(connection), context, std::move(peer));
  co_await session.Run();
}

}  // namespace

void ServeConnection(asio::ip::tcp::socket socket, SessionContext& context) {
  Error error;
  auto remote = socket.remote_endpoint(error);
  if (error) return;  // it left again
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  auto executor = socket.get_executor();
  std::string peer = remote.address().to_string();
  std::unique_ptr<Connection> connection =
      context.tls ? MakeTlsConnection(std::move(socket), *context.tls) : MakePlainConnection(std::move(socket));
  asio::co_spawn(executor, RunSession(std::move(connection), context, std::move(peer)), asio::detached);
}

}  // namespace redoubt::http
