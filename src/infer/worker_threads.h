#pragma once

#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"

namespace redoubt::infer {

// Prepares the calling thread to work beside a server: `name` for top and gdb (15 characters show), a lower priority
// by `nice`, and no signals, which belong to the server's main thread.
void BecomeWorker(const std::string& name, int nice);

// Whether a thread that blocks `mask` is a worker, or was started by one, directly or not: threads take over the mask.
bool IsWorkerMask(const sigset_t& mask);

// Threads that may sit in vendor code for long, and therefore can be given up on: unlike std::thread's join, the wait
// for their end has a limit.
class WorkerThreads {
 public:
  // Each thread becomes a worker and runs `body` once. False when the system gives no thread.
  [[nodiscard]] bool Start(const std::string& name, int nice, std::function<void()> body);

  // True when all bodies have returned within the time; else the others are detached and must not be freed under.
  bool JoinWithin(int64_t timeout_ms);

 private:
  std::mutex mu_;
  std::condition_variable ended_;
  size_t running_ GUARDED_BY(mu_) = 0;
  std::vector<std::thread> threads_ GUARDED_BY(mu_);
};

}  // namespace redoubt::infer
