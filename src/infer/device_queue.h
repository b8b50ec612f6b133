#pragma once

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_annotations.h"
#include "infer/executor.h"

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
  // One execution of a model for one or more items.
  struct ActiveRun {
    std::shared_ptr<RunHandle> handle;
    size_t unanswered = 0;
  };
  // One submitted run. Its fields are guarded by mu_.
  struct Item {
    RunRequest request;
    int64_t submitted_us = 0;
    std::optional<int64_t> rows;
    std::optional<DeadlineTimer::Key> deadline;
    bool answered = false;
    bool queued = false;
    std::list<std::shared_ptr<Item>>::iterator place;
    std::shared_ptr<ActiveRun> run;
  };
  using ItemPtr = std::shared_ptr<Item>;
  using Group = std::vector<ItemPtr>;

  void Work();
  void Enqueue(const ItemPtr& item);
  void Expire(const ItemPtr& item);
  // Takes the items of the next run off the queue. Empty when nothing can run yet; then `wake_us` is when a waiting
  // batch will have waited long enough, 0 when only a new item can change that.
  Group Take(int64_t now_us, int64_t* wake_us);
  // The runs that can join the one at `head`, itself first; `full`: no reason to wait for more.
  Group GatherBatch(std::list<ItemPtr>::iterator head, const Batching& batching, bool* full);
  void RunGroup(Group group, std::unique_lock<std::mutex>& lock);
  base::Result<Tensors> Execute(const Model& model, const Group& group, const ActiveRun& run) const;
  void Answer(const Group& group, const base::Result<Tensors>& outputs, RunTimes times, int64_t started_us,
              std::unique_lock<std::mutex>& lock);

  const Options options_;
  DeadlineTimer& timer_;
  std::atomic<int64_t> max_run_ms_;
  std::atomic<size_t> limit_;
  mutable std::mutex mu_;
  std::condition_variable work_;
  std::list<ItemPtr> items_ GUARDED_BY(mu_);
  std::list<std::shared_ptr<ActiveRun>> active_ GUARDED_BY(mu_);
  std::vector<clockid_t> thread_clocks_ GUARDED_BY(mu_);
  size_t waiting_ GUARDED_BY(mu_) = 0;  // items_ and those whose model is still loading
  QueueStats counters_ GUARDED_BY(mu_);
  bool started_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::vector<std::weak_ptr<Item>> parked_ GUARDED_BY(mu_);  // their model is still loading
  WorkerThreads threads_;
};

}  // namespace redoubt::infer
