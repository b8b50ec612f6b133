#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "resp/connect_options.h"
#include "resp/reply.h"

namespace redoubt::resp {

// Why no usable connection came about. The words of a Status are for logs; callers branch on this.
enum class ConnectFailure {
  kRefused,      // nobody listens there
  kTimeout,      // no answer in time, while connecting or greeting
  kUnknownHost,  // the name does not resolve
  kUnreachable,  // no route
  kAuthNeeded,   // NOAUTH: the server wants a password and none was given
  kAuthFailed,   // WRONGPASS: the password or user is wrong
  kTls,          // handshake or certificate
  kNotRedis,     // something else answers
  kMaxClients,   // the server is full
  kProtected,    // DENIED: protected mode refuses other machines
  kClosed,       // closed while greeting
  kBadOptions,
};
std::string_view ConnectFailureName(ConnectFailure failure);

// One blocking connection over hiredis with TLS, AUTH and a name, every call bounded by a timeout. Used by one thread
// at a time. After a timeout or a broken connection it is unusable (connected() is false): make a new one.
class Client {
 public:
  // TCP, TLS, then AUTH, CLIENT SETNAME and a PING in one round trip. A server that is loading or busy counts as
  // connected. On failure `failure`, when given, receives the kind.
  static base::Result<std::unique_ptr<Client>> Connect(const ConnectOptions& options,
                                                       ConnectFailure* failure = nullptr);
  ~Client();

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends one command and waits. An error of the server is a Reply; a Status (DeadlineExceeded, Unavailable) means that
  // the connection is gone. `timeout_ms` < 0 takes the options' command_timeout_ms.
  base::Result<Reply> Command(std::span<const std::string> argv, int timeout_ms = -1);
  base::Result<Reply> Command(std::initializer_list<std::string_view> argv, int timeout_ms = -1);

  // Several commands in one round trip; one reply each, all within `timeout_ms`.
  base::Result<std::vector<Reply>> Pipeline(std::span<const std::vector<std::string>> commands, int timeout_ms = -1);

  bool connected() const;
  // CLIENT ID of this connection; 0 where the server does not tell.
  int64_t id() const { return id_; }
  const ConnectOptions& options() const { return options_; }

 private:
  struct Handle;  // owns hiredis' contexts

  explicit Client(const ConnectOptions& options);
  base::Status Open(ConnectFailure& failure);  // TCP, then TLS
  base::Status OpenTls(int64_t deadline_us, ConnectFailure& failure);
  base::Status Greet(ConnectFailure& failure);  // AUTH, name, PING
  base::Result<Reply> Receive(int64_t deadline_us);
  base::Status Break(base::Status status);  // makes the connection unusable
  base::Status Broken();                    // what hiredis says went wrong

  ConnectOptions options_;
  std::unique_ptr<Handle> handle_;
  int64_t id_ = 0;
};

}  // namespace redoubt::resp
