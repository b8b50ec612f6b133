#include "infer/model_loader.h"

#include <utility>

namespace redoubt::infer {

ModelLoader::ModelLoader(BackendRegistry& registry, Options options)
    : registry_(registry), options_(std::move(options)) {}

std::shared_ptr<ModelSlot> ModelLoader::Load(ModelSpec spec) {
  std::shared_ptr<ModelSlot> slot(new ModelSlot(std::move(spec)),
                                  [this](ModelSlot* last) { Run([last] { delete last; }); });
  {
    std::lock_guard lock(mu_);
    ++builds_;
  }
  Run([this, slot] { Build(*slot); });
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
  {
    std::lock_guard lock(mu_);
    --builds_;
  }
  slot.Finish(std::move(model));
}

void ModelLoader::Run(std::function<void()> task) {
  bool queued = false;
  {
    std::lock_guard lock(mu_);
    if (stopping_) return;  // the process is about to end; what the task would free goes with it
    if (!started_) started_ = threads_.Start("ai-loader", options_.nice, [this] { Loop(); });
    if (started_) tasks_.push_back(std::move(task));
    queued = started_;
  }
  if (queued) {
    work_.notify_one();
  } else {
    task();  // the system gives no thread: rather slowly here than never
  }
}

void ModelLoader::Loop() {
  std::unique_lock lock(mu_);
  while (true) {
    work_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds is released without the lock
    lock.lock();
  }
}

size_t ModelLoader::waiting() const {
  std::lock_guard lock(mu_);
  return builds_;
}

bool ModelLoader::StopWithin(int64_t timeout_ms) {
  std::deque<std::function<void()>> dropped;
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
    dropped.swap(tasks_);
  }
  work_.notify_all();
  return threads_.JoinWithin(timeout_ms);
}

}  // namespace redoubt::infer
