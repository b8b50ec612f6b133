#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "infer/deadline_timer.h"
#include "infer/worker_threads.h"

namespace redoubt::infer {

// One thread for tasks that take long, in the order of the calls. It starts with the first of them. A task that takes
// too long keeps the thread that it is on, and another goes on with the rest. Safe on many threads.
class BackgroundThread {
 public:
  struct Options {
    std::string name;
    int nice = 0;
    int64_t task_limit_ms = 0;  // see SetTaskLimit()
    base::Logger logger{};
  };
  explicit BackgroundThread(Options options);
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;

  // Runs `task` after what was asked for before. Dropped when stopping. When it takes longer than the limit `given_up`,
  // where there is one, is called with that time on another thread, while the task goes on.
  void Run(std::function<void()> task, std::function<void(int64_t limit_ms)> given_up = nullptr);

  // How long a task may keep the others waiting, those that begin from now on; 0: for ever.
  void SetTaskLimit(int64_t limit_ms);

  // Drops what waits and joins; false when a task is still running after that time. Idempotent.
  bool StopWithin(int64_t timeout_ms);

 private:
  struct Task {
    std::function<void()> run;
    std::function<void(int64_t limit_ms)> given_up;
  };

  // Until `generation` is not the current one any more.
  void Loop(uint64_t generation);
  bool StartThread();  // with mu_ held
  void GiveUp(uint64_t task_number, const std::function<void(int64_t limit_ms)>& given_up, int64_t limit_ms);

  const Options options_;
  std::mutex mu_;
  std::condition_variable work_;
  std::deque<Task> tasks_ GUARDED_BY(mu_);
  uint64_t generation_ GUARDED_BY(mu_) = 0;   // of the thread that works; older ones were given up
  uint64_t task_number_ GUARDED_BY(mu_) = 0;  // of the task that began last
  bool task_runs_ GUARDED_BY(mu_) = false;    // that one, not given up
  int64_t task_limit_ms_ GUARDED_BY(mu_);
  bool started_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  DeadlineTimer timer_;
  WorkerThreads threads_;
};

}  // namespace redoubt::infer
