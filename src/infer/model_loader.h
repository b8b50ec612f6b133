#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "base/log.h"
#include "base/thread_annotations.h"
#include "infer/background_thread.h"
#include "infer/built_later.h"
#include "infer/model.h"
#include "infer/model_check.h"

namespace redoubt::infer {

// A model that is there at once and loaded a little later.
class ModelSlot final : public BuiltLater<ModelSpec, Model> {
 public:
  explicit ModelSlot(ModelSpec spec) : BuiltLater(std::move(spec), "the model is still loading") {}
};

// Builds sessions on a thread of its own, in the order of the calls, and takes them down again there.
class ModelLoader {
 public:
  struct Options {
    int nice = 0;
    base::Logger logger{};
    const ModelCheck* check = nullptr;  // asked before every build; null: none
    int64_t task_limit_ms = 0;          // of one build, see BackgroundThread
  };
  ModelLoader(BackendRegistry& registry, Options options);
  ModelLoader(const ModelLoader&) = delete;
  ModelLoader& operator=(const ModelLoader&) = delete;

  // Starts building `spec`. Whoever drops the last reference to the slot, on whichever thread, does not wait for the
  // session to be torn down: the loader's thread does that.
  std::shared_ptr<ModelSlot> Load(ModelSpec spec);

  // Runs `task` on the loader's thread, after what was asked for before. Dropped when stopping. `given_up` is called
  // when it takes longer than the limit, see BackgroundThread.
  void Run(std::function<void()> task, const std::function<void(const base::Status& why)>& given_up = nullptr);

  void SetTaskLimit(int64_t limit_ms) { thread_.SetTaskLimit(limit_ms); }

  // Builds not yet begun or in progress.
  size_t waiting() const;

  // Drops what waits and joins; false when the thread is still inside the vendor's code after that time. Idempotent.
  bool StopWithin(int64_t timeout_ms) { return thread_.StopWithin(timeout_ms); }

 private:
  void Finish(ModelSlot& slot, base::Result<std::shared_ptr<Model>> model);
  base::Result<std::shared_ptr<Model>> CheckAndBuild(const ModelSpec& spec);
  void Build(ModelSlot& slot);

  BackendRegistry& registry_;
  const Options options_;
  mutable std::mutex mu_;
  size_t builds_ GUARDED_BY(mu_) = 0;
  BackgroundThread thread_;
};

}  // namespace redoubt::infer
