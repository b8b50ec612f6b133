#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"

namespace redoubt::base {

// A fixed number of threads over one bounded queue; idle threads sleep (no polling).
class ThreadPool {
 public:
  // Threads are named `name` for top and gdb (15 characters show). `queue_limit` counts waiting tasks.
  ThreadPool(std::string name, size_t threads, size_t queue_limit);
  // Waits for running tasks; waiting ones are dropped.
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False when the queue is full or the pool is stopping: the task will not run. Tasks must not throw.
  [[nodiscard]] bool TrySubmit(std::function<void()> task);

  // As TrySubmit(), but only when a thread is idle and nothing else waits for it.
  [[nodiscard]] bool TrySubmitToIdle(std::function<void()> task);

  // Refuses new tasks, drops waiting ones and joins. Idempotent; never call from a task.
  void Stop();

  size_t waiting() const;

 private:
  void Run(const std::string& name);

  const size_t queue_limit_;
  mutable std::mutex mu_;
  std::condition_variable work_;
  std::deque<std::function<void()>> tasks_ GUARDED_BY(mu_);
  size_t idle_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace redoubt::base
