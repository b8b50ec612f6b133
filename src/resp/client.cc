#include "resp/client.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "resp/tls.h"

namespace redoubt::resp {

using base::Result;
using base::Status;
using base::StatusCode;

namespace {

// Against a peer that only claims to be a Redis: no answer of ours is near these.
constexpr size_t kMaxReplyBytes = 64u << 20;
constexpr long long kMaxElements = 1'000'000;

// hiredis and OpenSSL write without MSG_NOSIGNAL. A handler that the program has set is left alone.
void IgnoreBrokenPipeSignal() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction present {};
    if (sigaction(SIGPIPE, nullptr, &present) == 0 && present.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
  });
}

struct SocketError {
  ConnectFailure kind = ConnectFailure::kUnreachable;
  Status status;
};

ConnectFailure KindOfErrno(int code) {
  if (code == ECONNREFUSED) return ConnectFailure::kRefused;
  if (code == ETIMEDOUT) return ConnectFailure::kTimeout;
  return ConnectFailure::kUnreachable;
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Zero when connected, else the errno.
int ConnectSocket(int fd, const addrinfo& address, int64_t deadline_us) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!WaitFor(fd, POLLOUT, deadline_us)) return ETIMEDOUT;
  int code = 0;
  socklen_t size = sizeof(code);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) return errno;
  return code;
}

void SetKeepAlive(int fd) {
  int on = 1, idle_s = 60;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
}

// Tries each address that the name has. On failure `error` is set and the socket's fd is -1.
Socket OpenSocket(const ConnectOptions& options, int64_t deadline_us, SocketError& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  std::string port = std::to_string(options.port);
  int resolved = getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found);
  if (resolved != 0) {  // AI_ADDRCONFIG hides the loopback on machines without a network
    hints.ai_flags = 0;
    resolved = getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found);
  }
  if (resolved != 0) {
    error = {ConnectFailure::kUnknownHost,
             base::Unavailable(fmt::format("host '{}' does not resolve: {}", options.host, gai_strerror(resolved)))};
    return Socket(-1);
  }
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  int code = EHOSTUNREACH;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    Socket socket(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket.fd() < 0) continue;
    code = ConnectSocket(socket.fd(), *address, deadline_us);
    if (code != 0) continue;
    SetKeepAlive(socket.fd());
    return socket;
  }
  error.kind = KindOfErrno(code);
  error.status = error.kind == ConnectFailure::kTimeout
                     ? base::DeadlineExceeded(
                           fmt::format("no answer from {} within {} ms", Address(options), options.connect_timeout_ms))
                     : base::Unavailable(fmt::format("cannot connect to {}: {}", Address(options), strerror(code)));
  return Socket(-1);
}

Reply Convert(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_STATUS:
      return Reply::Status({reply.str, reply.len});
    case REDIS_REPLY_ERROR:
      return Reply::Error({reply.str, reply.len});
    case REDIS_REPLY_INTEGER:
    case REDIS_REPLY_BOOL:
      return Reply::Integer(reply.integer);
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_VERB:
    case REDIS_REPLY_DOUBLE:
    case REDIS_REPLY_BIGNUM:
      return Reply::String({reply.str, reply.len});
    case REDIS_REPLY_ARRAY:
    case REDIS_REPLY_MAP:
    case REDIS_REPLY_SET:
    case REDIS_REPLY_PUSH: {
      std::vector<Reply> elements;
      elements.reserve(reply.elements);
      for (size_t i = 0; i < reply.elements; ++i) elements.push_back(Convert(*reply.element[i]));
      return Reply::Array(std::move(elements));
    }
    default:
      return Reply::Nil();
  }
}

void Append(redisContext* context, std::span<const std::string> argv) {
  std::vector<const char*> data;
  std::vector<size_t> sizes;
  for (const std::string& argument : argv) {
    data.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  redisAppendCommandArgv(context, static_cast<int>(argv.size()), data.data(), sizes.data());
}

std::vector<std::vector<std::string>> Greeting(const ConnectOptions& options) {
  std::vector<std::vector<std::string>> commands;
  if (!options.password.empty()) {
    commands.push_back(options.username.empty() ? std::vector<std::string>{"AUTH", options.password}
                                                : std::vector<std::string>{"AUTH", options.username, options.password});
  }
  commands.push_back({"CLIENT", "SETNAME", options.client_name});
  if (options.db != 0) commands.push_back({"SELECT", std::to_string(options.db)});
  commands.push_back({"CLIENT", "ID"});
  commands.push_back({"PING"});
  return commands;
}

// A failure that one of the greeting's replies tells of.
std::optional<ConnectFailure> FailureOf(const Reply& reply, bool is_auth) {
  if (!reply.IsError()) return std::nullopt;
  const std::string text = reply.text();
  if (text.find("max number of clients") != std::string::npos) return ConnectFailure::kMaxClients;
  if (reply.IsError("DENIED")) return ConnectFailure::kProtected;
  if (reply.IsError("NOAUTH")) return ConnectFailure::kAuthNeeded;
  if (reply.IsError("WRONGPASS")) return ConnectFailure::kAuthFailed;
  // A password for a server that has none: redis-cli warns and goes on, and so do we.
  if (is_auth && text.find("without any password configured") == std::string::npos && !reply.IsError("LOADING") &&
      !reply.IsError("BUSY")) {
    return ConnectFailure::kAuthFailed;
  }
  return std::nullopt;
}

}  // namespace

std::string_view ConnectFailureName(ConnectFailure failure) {
  switch (failure) {
    case ConnectFailure::kRefused:
      return "refused";
    case ConnectFailure::kTimeout:
      return "timeout";
    case ConnectFailure::kUnknownHost:
      return "unknown_host";
    case ConnectFailure::kUnreachable:
      return "unreachable";
    case ConnectFailure::kAuthNeeded:
      return "auth_required";
    case ConnectFailure::kAuthFailed:
      return "auth_failed";
    case ConnectFailure::kTls:
      return "tls";
    case ConnectFailure::kNotRedis:
      return "not_redis";
    case ConnectFailure::kMaxClients:
      return "max_clients";
    case ConnectFailure::kProtected:
      return "protected_mode";
    case ConnectFailure::kClosed:
      return "closed";
    case ConnectFailure::kBadOptions:
      return "bad_options";
  }
  return "closed";
}

struct Client::Handle {
  ~Handle() {
    if (context != nullptr) redisFree(context);  // frees the SSL object and the socket too
  }
  // TLS may hold decoded bytes that poll(2) does not see.
  bool HasBuffered() const { return ssl != nullptr && SSL_pending(ssl) > 0; }

  redisContext* context = nullptr;
  SSL* ssl = nullptr;  // owned by the context
};

Client::Client(const ConnectOptions& options) : options_(options), handle_(std::make_unique<Handle>()) {}
Client::~Client() = default;

bool Client::connected() const { return handle_->context != nullptr && handle_->context->err == 0; }

Status Client::Open(ConnectFailure& failure) {
  int64_t deadline_us = NowMicros() + int64_t{options_.connect_timeout_ms} * 1000;
  SocketError error;
  Socket socket = OpenSocket(options_, deadline_us, error);
  if (socket.fd() < 0) {
    failure = error.kind;
    return error.status;
  }
  redisOptions options{};
  options.type = REDIS_CONN_USERFD;
  options.options = REDIS_OPT_NONBLOCK;
  options.endpoint.fd = socket.fd();
  handle_->context = redisConnectWithOptions(&options);
  failure = ConnectFailure::kClosed;
  if (handle_->context == nullptr) return base::ResourceExhausted("no memory for a connection");
  socket.Release();
  handle_->context->reader->maxelements = kMaxElements;
  return options_.tls ? OpenTls(deadline_us, failure) : base::OkStatus();
}

Status Client::OpenTls(int64_t deadline_us, ConnectFailure& failure) {
  failure = ConnectFailure::kBadOptions;
  ASSIGN_OR_RETURN(SslPtr ssl, MakeTls(options_.host, *options_.tls));
  failure = ConnectFailure::kTls;
  // hiredis resets the handshake when it takes the object over, so it has to come first; it only begins one here.
  redisContext* context = handle_->context;
  const std::string& name = options_.tls->server_name.empty() ? options_.host : options_.tls->server_name;
  if (redisInitiateSSL(context, ssl.get()) != REDIS_OK) return TlsFailure(ssl.get(), name, context->errstr);
  handle_->ssl = ssl.release();
  Status status = TlsHandshake(handle_->ssl, context->fd, name, deadline_us);
  if (status.code() == StatusCode::kDeadlineExceeded) failure = ConnectFailure::kTimeout;
  return status;
}

Status Client::Greet(ConnectFailure& failure) {
  const std::vector<std::vector<std::string>> commands = Greeting(options_);
  int64_t deadline_us = NowMicros() + int64_t{options_.command_timeout_ms} * 1000;
  for (const auto& command : commands) Append(handle_->context, command);
  for (const auto& command : commands) {
    Result<Reply> reply = Receive(deadline_us);
    if (!reply.ok()) {
      failure = ConnectFailure::kClosed;
      if (reply.status().code() == StatusCode::kDeadlineExceeded) failure = ConnectFailure::kTimeout;
      if (reply.status().code() == StatusCode::kFailedPrecondition) failure = ConnectFailure::kNotRedis;
      // TLS 1.3 refuses a client only after the client's own handshake is over.
      if (options_.tls && failure == ConnectFailure::kClosed) {
        failure = ConnectFailure::kTls;
        return base::FailedPrecondition(fmt::format(
            "{} closed the connection right after the TLS handshake; it may require a client certificate (cert, key)",
            Address(options_)));
      }
      return reply.status();
    }
    if (std::optional<ConnectFailure> kind = FailureOf(*reply, command[0] == "AUTH")) {
      failure = *kind;
      bool credentials = *kind == ConnectFailure::kAuthNeeded || *kind == ConnectFailure::kAuthFailed;
      return {credentials ? StatusCode::kUnauthenticated : StatusCode::kUnavailable,
              fmt::format("{} answered: {}", Address(options_), reply->text())};
    }
    if (reply->IsError() && command[0] == "SELECT") {
      failure = ConnectFailure::kBadOptions;
      return base::InvalidArgument(fmt::format("database {}: {}", options_.db, reply->text()));
    }
    if (command.size() == 2 && command[1] == "ID") id_ = reply->integer();
  }
  return base::OkStatus();
}

Result<std::unique_ptr<Client>> Client::Connect(const ConnectOptions& options, ConnectFailure* failure) {
  IgnoreBrokenPipeSignal();
  ConnectFailure kind = ConnectFailure::kBadOptions;
  std::unique_ptr<Client> client(new Client(options));
  Status status = Validate(options);
  if (status.ok()) status = client->Open(kind);
  if (status.ok()) status = client->Greet(kind);
  if (status.ok()) return client;
  if (failure != nullptr) *failure = kind;
  return status;
}

Status Client::Break(Status status) {
  // hiredis refuses further use of a context with an error; a late answer must never meet a later command.
  if (handle_->context->err == 0) handle_->context->err = REDIS_ERR_TIMEOUT;
  return status;
}

Status Client::Broken() {
  const redisContext& context = *handle_->context;
  if (context.err == REDIS_ERR_PROTOCOL) {
    return base::FailedPrecondition(
        fmt::format("{} does not speak the Redis protocol: {}", Address(options_), context.errstr));
  }
  return base::Unavailable(fmt::format("the connection to {} broke: {}", Address(options_), context.errstr));
}

Result<Reply> Client::Receive(int64_t deadline_us) {
  redisContext* context = handle_->context;
  for (;;) {
    int sent = 0;
    if (redisBufferWrite(context, &sent) != REDIS_OK) return Broken();
    void* raw = nullptr;
    if (redisGetReplyFromReader(context, &raw) != REDIS_OK) return Broken();
    if (raw != nullptr) {
      std::unique_ptr<void, void (*)(void*)> owned(raw, freeReplyObject);
      if (static_cast<redisReply*>(raw)->type == REDIS_REPLY_PUSH) continue;
      return Convert(*static_cast<redisReply*>(raw));
    }
    if (context->reader->len > kMaxReplyBytes) {
      return Break(base::ResourceExhausted(
          fmt::format("an answer of {} is over the limit of {} bytes", Address(options_), kMaxReplyBytes)));
    }
    short events = static_cast<short>(sent ? POLLIN : POLLIN | POLLOUT);
    if (!handle_->HasBuffered() && !WaitFor(context->fd, events, deadline_us)) {
      return Break(base::DeadlineExceeded(fmt::format("{} did not answer in time", Address(options_))));
    }
    if (redisBufferRead(context) != REDIS_OK) return Broken();
  }
}

Result<Reply> Client::Command(std::span<const std::string> argv, int timeout_ms) {
  if (!connected()) return base::Unavailable(fmt::format("not connected to {}", Address(options_)));
  if (timeout_ms < 0) timeout_ms = options_.command_timeout_ms;
  Append(handle_->context, argv);
  return Receive(NowMicros() + int64_t{timeout_ms} * 1000);
}

Result<Reply> Client::Command(std::initializer_list<std::string_view> argv, int timeout_ms) {
  std::vector<std::string> owned(argv.begin(), argv.end());
  return Command(std::span<const std::string>(owned), timeout_ms);
}

Result<std::vector<Reply>> Client::Pipeline(std::span<const std::vector<std::string>> commands, int timeout_ms) {
  if (!connected()) return base::Unavailable(fmt::format("not connected to {}", Address(options_)));
  if (timeout_ms < 0) timeout_ms = options_.command_timeout_ms;
  int64_t deadline_us = NowMicros() + int64_t{timeout_ms} * 1000;
  for (const auto& command : commands) Append(handle_->context, command);
  std::vector<Reply> replies;
  for (size_t i = 0; i < commands.size(); ++i) {
    ASSIGN_OR_RETURN(Reply reply, Receive(deadline_us));
    replies.push_back(std::move(reply));
  }
  return replies;
}

}  // namespace redoubt::resp
