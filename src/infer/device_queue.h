#pragma once

#include <atomic>
#include <ctime>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "infer/executor.h"
#include "infer/fair_queue.h"
#include "infer/pending_run.h"
#include "infer/wake_up.h"

namespace redoubt::infer {

// The runs of one device and the threads that work on them; a part of Executor.
class DeviceQueue {
 public:
  struct Options {
    std::string device;
    size_t threads;
    int nice;
    base::MemoryResource* memory;
  };
  DeviceQueue(const Options& options, DeadlineTimer& timer, int64_t max_run_ms, size_t limit);

  base::Status Submit(RunRequest request);
  void SetMaxRunMs(int64_t max_run_ms) { max_run_ms_ = max_run_ms; }
  void SetLimit(size_t limit) { limit_ = limit; }
  QueueStats Stats() const;

  // The two halves of Executor::StopWithin().
  void Cancel();
  bool JoinWithin(int64_t timeout_ms) { return threads_.JoinWithin(timeout_ms); }

 private:
  void Work();
  void Enqueue(const PendingRun::Ptr& run);
  void Expire(const PendingRun::Ptr& run);
  void Sleep(int64_t wake_us, std::unique_lock<std::mutex>& lock);
  void Execute(const FairQueue::Choice& choice, std::unique_lock<std::mutex>& lock);
  // Fills `active`; returns the part that takes long.
  std::function<base::Result<Tensors>()> Prepare(const RunGroup& group, ActiveRun& active) const;
  // The execution has taken longer than it may and cannot be stopped: its clients get their answer, it goes on.
  void GiveUp(const RunGroup& group, int64_t max_run_ms);
  // How long a run of `group` is of use to anybody; 0: for ever.
  int64_t LimitMs(const RunGroup& group, int64_t now_us) const;
  base::Result<Tensors> RunModel(const Model& model, const RunGroup& group, const ActiveRun& active) const;
  void Answer(const RunGroup& group, const base::Result<Tensors>& outputs, RunTimes times, int64_t started_us,
              std::unique_lock<std::mutex>& lock);

  const Options options_;
  DeadlineTimer& timer_;
  std::atomic<int64_t> max_run_ms_;
  std::atomic<size_t> limit_;
  mutable std::mutex mu_;
  FairQueue queue_ GUARDED_BY(mu_);
  std::list<std::shared_ptr<ActiveRun>> active_ GUARDED_BY(mu_);
  std::vector<clockid_t> thread_clocks_ GUARDED_BY(mu_);
  size_t waiting_ GUARDED_BY(mu_) = 0;  // in queue_, and those whose model is still loading
  size_t idle_ GUARDED_BY(mu_) = 0;     // workers that sleep and have not been posted
  QueueStats counters_ GUARDED_BY(mu_);
  size_t started_ GUARDED_BY(mu_) = 0;  // threads
  bool stopping_ GUARDED_BY(mu_) = false;
  std::vector<std::weak_ptr<PendingRun>> parked_ GUARDED_BY(mu_);  // their model is still loading
  WakeUp wake_up_;
  WorkerThreads threads_;
};

}  // namespace redoubt::infer
