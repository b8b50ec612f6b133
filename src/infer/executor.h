#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/memory.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "infer/batch.h"
#include "infer/deadline_timer.h"
#include "infer/model_loader.h"

namespace redoubt::infer {

struct RunTimes {
  int64_t queue_us = 0;  // from Submit() to the start of the run, or to the answer where it never started
  int64_t run_us = 0;    // in the backend; of the whole batch
  int64_t batch_rows = 0;
};

// Called once per submitted run, on a worker, the timer's thread or the caller of StopWithin(), with no lock held:
// quick; it may Submit() what follows, but must not stop the executor. DeadlineExceeded when the time given ran out,
// Cancelled at shutdown.
using RunDone = std::function<void(base::Result<Tensors> outputs, const RunTimes& times)>;

// Something other than one run of one model that takes its turn in a device's queue: a call of a script. Alone, never
// in a batch.
class Job {
 public:
  virtual ~Job() = default;
  // Jobs of one lane share the device's time with the models as one of them.
  virtual const void* lane() const = 0;
  // As ModelSlot::built() and WhenBuilt(): until it is ready, others pass it by.
  virtual bool ready() const = 0;
  virtual void WhenReady(std::function<void()> callback) = 0;
  // On a worker, once. After `limit_ms` nobody waits for the outputs any more; 0: somebody always does.
  virtual base::Result<Tensors> Run(int64_t limit_ms) = 0;
  // On any thread, also before Run() and more than once: nobody waits for the outputs any more.
  virtual void Cancel() = 0;
};

struct RunRequest {
  std::shared_ptr<ModelSlot> model;  // null where there is a job
  Tensors inputs;
  int64_t timeout_ms = 0;  // from Submit() to the answer; 0: none
  RunDone done;
  std::shared_ptr<Job> job = nullptr;
};

struct QueueStats {
  std::string device;
  size_t waiting = 0;
  size_t running = 0;
  uint64_t runs = 0;      // executions of a model, a batch counting once
  uint64_t requests = 0;  // answered after an execution
  uint64_t timeouts = 0;
  uint64_t discarded = 0;  // executions that ended when nobody waited for them any more
  uint64_t refused = 0;
  std::vector<double> thread_cpu_seconds;  // one per worker
};

class DeviceQueue;

// Runs models: a queue per device with its own workers. Runs of one model start in the order of submission; models
// share their device's time evenly (see FairQueue), and pass by what still loads or waits for a batch. Idle workers
// sleep. All functions are safe on many threads.
class Executor {
 public:
  struct Options {
    size_t threads_per_device = 1;
    size_t queue_limit = 10000;  // waiting runs per device
    size_t device_limit = 64;    // devices, each with its own threads, which stay
    int64_t max_run_ms = 5000;   // a run is stopped after this, or given up where nothing stops it; 0: never
    int nice = 0;                // priority of the workers, as in nice(1)
    base::MemoryResource* memory = nullptr;  // for batches; null: base::DefaultMemory()
  };
  explicit Executor(const Options& options);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Queues a run for `device` (see NormalizeDevice). ResourceExhausted when the queue is full or would be one too many,
  // Cancelled when
  // stopping; then `done` is not called.
  base::Status Submit(std::string_view device, RunRequest request);

  // May change while running; applies to runs that begin afterwards.
  void SetMaxRunMs(int64_t max_run_ms);
  void SetQueueLimit(size_t queue_limit);

  std::vector<QueueStats> Stats() const;

  // Refuses new runs, answers waiting ones with Cancelled, stops running ones and joins; false when a backend did not
  // stop in time: then nothing of this may be freed. Idempotent.
  bool StopWithin(int64_t timeout_ms);

 private:
  base::Result<DeviceQueue*> QueueFor(std::string_view device);

  const Options options_;
  DeadlineTimer timer_;
  mutable std::mutex mu_;
  std::map<std::string, std::unique_ptr<DeviceQueue>, std::less<>> queues_ GUARDED_BY(mu_);
  int64_t max_run_ms_ GUARDED_BY(mu_);
  size_t queue_limit_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace redoubt::infer
