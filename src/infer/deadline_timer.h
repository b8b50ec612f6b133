#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "base/thread_annotations.h"
#include "infer/worker_threads.h"

namespace redoubt::infer {

// Microseconds of the steady clock.
int64_t SteadyNowUs();

// Calls functions at given times, on one thread of its own that sleeps until the next of them; with nothing to wait
// for it sleeps for good. Made for deadlines, most of which are removed before they come: adding one that lies behind
// the time the thread is already set to does not wake it.
class DeadlineTimer {
 public:
  using Key = std::pair<int64_t, uint64_t>;

  // `callback` runs on the timer's thread at `at_us` or a little later, and must be quick.
  Key Add(int64_t at_us, std::function<void()> callback);
  // After it returns the callback may still be running, if its time had come.
  void Remove(const Key& key);

  // Drops all and joins. Idempotent.
  bool StopWithin(int64_t timeout_ms);

 private:
  void Loop();

  std::mutex mu_;
  std::condition_variable changed_;
  std::map<Key, std::function<void()>> entries_ GUARDED_BY(mu_);
  int64_t set_to_us_ GUARDED_BY(mu_) = 0;
  uint64_t next_id_ GUARDED_BY(mu_) = 0;
  bool started_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  WorkerThreads threads_;
};

}  // namespace redoubt::infer
