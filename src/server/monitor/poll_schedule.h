#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/thread_annotations.h"

namespace redoubt::monitor {

// Runs named jobs again and again, each at its own pace, never two of the same name at once. Two threads do the work;
// when jobs wait because others hang, more are started, up to `max_threads`, and leave again when idle.
class PollSchedule {
 public:
  // A job gives the milliseconds until it wants to run again, counted from the begin of this run.
  using Job = std::function<int()>;

  explicit PollSchedule(size_t max_threads);
  ~PollSchedule();  // waits for running jobs

  PollSchedule(const PollSchedule&) = delete;
  PollSchedule& operator=(const PollSchedule&) = delete;

  // Replaces a job of that name; first run after `delay_ms`.
  void Add(const std::string& name, int delay_ms, Job job);
  // The job will not run again; returns when a run in progress is over. Never call from the job itself.
  void Remove(const std::string& name);
  void Stop();  // idempotent

  size_t threads() const;

 private:
  struct Entry {
    Job job;
    int64_t due_us = 0;
    uint64_t generation = 0;
    bool running = false;
    bool queued = false;
  };
  struct Due {
    int64_t due_us;
    std::string name;
    auto operator<=>(const Due&) const = default;
  };

  void Dispatch();
  void Work(size_t slot);
  void Schedule(const std::string& name, Entry& entry, int64_t due_us);  // with mu_ held
  void StartThread();                                                    // with mu_ held

  const size_t max_threads_;
  mutable std::mutex mu_;
  std::condition_variable due_changed_;
  std::condition_variable work_;
  std::condition_variable finished_;
  std::map<std::string, Entry> entries_ GUARDED_BY(mu_);
  std::set<Due> due_ GUARDED_BY(mu_);
  std::deque<Due> ready_ GUARDED_BY(mu_);  // due_us: when it became ready
  std::vector<std::thread> workers_ GUARDED_BY(mu_);
  std::vector<size_t> ended_ GUARDED_BY(mu_);  // slots of workers that left
  size_t live_ GUARDED_BY(mu_) = 0;
  size_t idle_ GUARDED_BY(mu_) = 0;
  uint64_t next_generation_ GUARDED_BY(mu_) = 1;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread dispatcher_;
};

}  // namespace redoubt::monitor
