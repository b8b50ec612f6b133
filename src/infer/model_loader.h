#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "base/log.h"
#include "base/thread_annotations.h"
#include "infer/built_later.h"
#include "infer/deadline_timer.h"
#include "infer/model.h"
#include "infer/model_check.h"
#include "infer/worker_threads.h"

namespace redoubt::infer {

// A model that is there at once and loaded a little later.
class ModelSlot final : public BuiltLater<ModelSpec, Model> {
 public:
  explicit ModelSlot(ModelSpec spec) : BuiltLater(std::move(spec), "the model is still loading") {}
};

// One background thread for what takes long around models: building sessions, in the order of the calls, and taking
// them down again. A task that takes too long keeps the thread that it is on, and another goes on with the rest.
class ModelLoader {
 public:
  struct Options {
    int nice = 0;
    base::Logger logger{};
    const ModelCheck* check = nullptr;  // asked before every build; null: none
    int64_t task_limit_ms = 0;          // see SetTaskLimit()
  };
  ModelLoader(BackendRegistry& registry, Options options);
  ModelLoader(const ModelLoader&) = delete;
  ModelLoader& operator=(const ModelLoader&) = delete;

  // Starts building `spec`. Whoever drops the last reference to the slot, on whichever thread, does not wait for the
  // session to be torn down: the loader's thread does that.
  std::shared_ptr<ModelSlot> Load(ModelSpec spec);

  // Runs `task` on the loader's thread, after what was asked for before. Dropped when stopping. When it takes longer
  // than the limit `given_up`, where there is one, is called on another thread while the task goes on.
  void Run(std::function<void()> task, std::function<void(const base::Status& why)> given_up = nullptr);

  // How long a task may keep the others waiting, those that begin from now on; 0: for ever.
  void SetTaskLimit(int64_t limit_ms);

  // Builds not yet begun or in progress.
  size_t waiting() const;

  // Drops what waits and joins; false when the thread is still inside the vendor's code after that time. Idempotent.
  bool StopWithin(int64_t timeout_ms);

 private:
  struct Task {
    std::function<void()> run;
    std::function<void(const base::Status& why)> given_up;
  };

  // Until `generation` is not the current one any more.
  void Loop(uint64_t generation);
  bool StartThread();  // with mu_ held
  void GiveUp(uint64_t generation, const std::function<void(const base::Status& why)>& given_up, int64_t limit_ms);
  void Finish(ModelSlot& slot, base::Result<std::shared_ptr<Model>> model);
  base::Result<std::shared_ptr<Model>> CheckAndBuild(const ModelSpec& spec);
  void Build(ModelSlot& slot);

  BackendRegistry& registry_;
  const Options options_;
  mutable std::mutex mu_;
  std::condition_variable work_;
  std::deque<Task> tasks_ GUARDED_BY(mu_);
  uint64_t generation_ GUARDED_BY(mu_) = 0;  // of the thread that works; older ones were given up
  int64_t task_limit_ms_ GUARDED_BY(mu_);
  bool started_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  size_t builds_ GUARDED_BY(mu_) = 0;
  DeadlineTimer timer_;
  WorkerThreads threads_;
};

}  // namespace redoubt::infer
