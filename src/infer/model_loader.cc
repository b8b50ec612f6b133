#include "infer/model_loader.h"

#include <fmt/core.h>

#include <optional>
#include <utility>

namespace redoubt::infer {

ModelLoader::ModelLoader(BackendRegistry& registry, Options options)
    : registry_(registry), options_(std::move(options)), task_limit_ms_(options_.task_limit_ms) {}

std::shared_ptr<ModelSlot> ModelLoader::Load(ModelSpec spec) {
  std::shared_ptr<ModelSlot> slot(new ModelSlot(std::move(spec)),
                                  [this](ModelSlot* last) { Run([last] { delete last; }); });
  {
    std::lock_guard lock(mu_);
    ++builds_;
  }
  Run([this, slot] { Build(*slot); }, [this, slot](const base::Status& why) { Finish(*slot, why); });
  return slot;
}

base::Result<std::shared_ptr<Model>> ModelLoader::CheckAndBuild(const ModelSpec& spec) {
  if (options_.check != nullptr) RETURN_IF_ERROR(options_.check->Check(spec));
  return Model::Build(registry_, spec);
}

void ModelLoader::Build(ModelSlot& slot) {
  base::Result<std::shared_ptr<Model>> model = CheckAndBuild(slot.spec());
  if (!model.ok()) {
    options_.logger.Warning("a model for {} could not be built: {}", slot.spec().backend, model.status().message());
  }
  Finish(slot, std::move(model));
}

void ModelLoader::Finish(ModelSlot& slot, base::Result<std::shared_ptr<Model>> model) {
  if (!slot.Finish(std::move(model))) return;
  std::lock_guard lock(mu_);
  --builds_;
}

void ModelLoader::SetTaskLimit(int64_t limit_ms) {
  std::lock_guard lock(mu_);
  task_limit_ms_ = limit_ms;
}

bool ModelLoader::StartThread() {
  return threads_.Start("ai-loader", options_.nice, [this, generation = generation_] { Loop(generation); });
}

void ModelLoader::Run(std::function<void()> task, std::function<void(const base::Status& why)> given_up) {
  bool queued = false;
  {
    std::lock_guard lock(mu_);
    if (stopping_) return;  // the process is about to end; what the task would free goes with it
    if (!started_) started_ = StartThread();
    if (started_) tasks_.push_back({task, std::move(given_up)});
    queued = started_;
  }
  if (queued) {
    work_.notify_all();  // a thread that was given up may wait there too
  } else {
    task();  // the system gives no thread: rather slowly here than never
  }
}

void ModelLoader::Loop(uint64_t generation) {
  std::unique_lock lock(mu_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || generation != generation_ || !tasks_.empty(); });
    if (stopping_ || generation != generation_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    const int64_t limit_ms = task_limit_ms_;
    lock.unlock();
    std::optional<DeadlineTimer::Key> limit;
    if (limit_ms > 0) {
      limit = timer_.Add(SteadyNowUs() + limit_ms * 1000, [this, generation, given_up = task.given_up, limit_ms] {
        GiveUp(generation, given_up, limit_ms);
      });
    }
    task.run();
    if (limit) timer_.Remove(*limit);
    task = {};  // what it holds is released without the lock
    lock.lock();
  }
}

void ModelLoader::GiveUp(uint64_t generation, const std::function<void(const base::Status& why)>& given_up,
                         int64_t limit_ms) {
  {
    std::lock_guard lock(mu_);
    if (stopping_ || generation != generation_) return;
    ++generation_;
    started_ = StartThread();
  }
  options_.logger.Warning(
      "loading a model took longer than {} ms (ai.load-timeout): its thread is left to it, another goes on", limit_ms);
  if (given_up) {
    given_up(
        base::Internal(fmt::format("ERR loading took longer than {} ms (ai.load-timeout) and was given up", limit_ms)));
  }
}

size_t ModelLoader::waiting() const {
  std::lock_guard lock(mu_);
  return builds_;
}

bool ModelLoader::StopWithin(int64_t timeout_ms) {
  std::deque<Task> dropped;
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
    dropped.swap(tasks_);
  }
  work_.notify_all();
  const bool timer_ended = timer_.StopWithin(timeout_ms);
  return threads_.JoinWithin(timeout_ms) && timer_ended;
}

}  // namespace redoubt::infer
