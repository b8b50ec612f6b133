#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "resp/client.h"

namespace redoubt::resp {

// A real redis-server or valkey-server of the cache in a folder of its own on a free loopback port; for tests. Stopped
// and removed with the object.
class TestServer {
 public:
  enum class Engine { kRedis, kValkey };
  struct Options {
    Engine engine = Engine::kRedis;
    std::vector<std::string> arguments;  // after --port, --dir, --save ""
    bool tls = false;                    // with a throw-away authority in folder(): ca.crt, client.crt, client.key
    int port = 0;                        // 0: a free one
  };

  // Fails the test (ADD_FAILURE) and gives null when the server does not come up.
  static std::unique_ptr<TestServer> Start(Options options);
  static std::unique_ptr<TestServer> Start() { return Start(Options{}); }
  static std::string Binary(Engine engine);
  ~TestServer();

  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  ConnectOptions connect_options() const;  // names the client "test"
  // A reply of a throw-away connection; an error reply when there is none.
  Reply Call(std::initializer_list<std::string_view> argv) const;

  void Kill();   // SIGKILL and wait
  void Pause();  // SIGSTOP: connected, but silent
  void Resume();
  bool Restart();  // the same port, an empty data set

 private:
  TestServer() = default;
  bool Spawn();

  Options options_;
  std::string folder_;
  int port_ = 0;
  pid_t pid_ = -1;
};

int FreePort();

}  // namespace redoubt::resp
