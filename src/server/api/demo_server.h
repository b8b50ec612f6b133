#pragma once

#include <sys/types.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "base/thread_annotations.h"

namespace redoubt::api {

// A throw-away redis-server on a free loopback port: small maxmemory, noeviction, nothing saved. It ends with Stop(),
// with this object and, by the kernel's hand, with this process, also when that is killed. Safe on many threads.
class DemoServer {
 public:
  struct Running {
    int port = 0;
    int64_t maxmemory_bytes = 0;
  };

  // `program` is a redis-server or valkey-server, empty when none was found. `folder` is made at start, removed at
  // stop.
  DemoServer(std::string program, std::string folder, base::Logger logger)
      : program_(std::move(program)), folder_(std::move(folder)), logger_(std::move(logger)) {}
  ~DemoServer() { Stop(); }
  DemoServer(const DemoServer&) = delete;
  DemoServer& operator=(const DemoServer&) = delete;

  bool available() const { return !program_.empty(); }
  std::optional<Running> running();

  // Answers when the server answers PING; at once when it runs already. FailedPrecondition without a program.
  base::Result<Running> Start(int maxmemory_mb);
  void Stop();

 private:
  base::Result<Running> Launch(int maxmemory_mb);
  bool AliveLocked();
  void StopLocked();

  const std::string program_;
  const std::string folder_;
  const base::Logger logger_;
  std::mutex mu_;
  pid_t pid_ GUARDED_BY(mu_) = 0;
  Running running_ GUARDED_BY(mu_);
};

// The program to start: `named` when given, else the one in tools/setup's cache, else redis-server or valkey-server in
// PATH; empty when there is none.
std::string FindRedisServer(const std::string& named);

}  // namespace redoubt::api
