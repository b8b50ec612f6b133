#pragma once

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/thread_annotations.h"

namespace redoubt::infer {

// Prepares the calling thread to work beside a server: `name` for top and gdb (15 characters show), a lower priority
// by `nice`, and no signals, which belong to the server's main thread.
void BecomeWorker(const std::string& name, int nice);

// Whether a thread that blocks `mask` is a worker, or was started by one, directly or not: threads take over the mask.
bool IsWorkerMask(const sigset_t& mask);

// The stack of a worker, in bytes; only what is used of it becomes memory. TorchScript calls itself once per level of
// what it compiles, and of what it frees: a value of a script may be nested as deep as the machine has memory. Freeing
// a level takes less stack (at most 79 bytes, a tuple, libtorch 2.7) than the level itself takes memory (96 and more),
// so half of the machine's memory is a stack that outlasts it.
size_t WorkerStackBytes();

// Threads that may sit in vendor code for long, and therefore can be given up on: unlike std::thread's join, the wait
// for their end has a limit.
class WorkerThreads {
 public:
  // Each thread becomes a worker, with a stack of WorkerStackBytes() or what the system gives, and runs `body` once.
  // False when the system gives no thread.
  [[nodiscard]] bool Start(const std::string& name, int nice, std::function<void()> body);

  // True when all bodies have returned within the time; else the others are detached and must not be freed under.
  bool JoinWithin(int64_t timeout_ms);

 private:
  struct Thread;
  struct Running {
    pthread_t id{};
    void* stack = nullptr;  // null: the system's
    size_t stack_bytes = 0;
  };
  static void* Main(void* thread);
  static bool Create(Thread* thread, Running* running);

  std::mutex mu_;
  std::condition_variable ended_;
  size_t running_ GUARDED_BY(mu_) = 0;
  std::vector<Running> threads_ GUARDED_BY(mu_);
};

}  // namespace redoubt::infer
