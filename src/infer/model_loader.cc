#include "infer/model_loader.h"

#include <fmt/core.h>

#include <utility>

namespace redoubt::infer {

ModelLoader::ModelLoader(BackendRegistry& registry, Options options)
    : registry_(registry),
      options_(std::move(options)),
      thread_({.name = "ai-loader",
               .nice = options_.nice,
               .task_limit_ms = options_.task_limit_ms,
               .logger = options_.logger}) {}

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

void ModelLoader::Run(std::function<void()> task, const std::function<void(const base::Status& why)>& given_up) {
  if (!given_up) return thread_.Run(std::move(task));
  thread_.Run(std::move(task), [given_up](int64_t limit_ms) {
    given_up(
        base::Internal(fmt::format("ERR loading took longer than {} ms (ai.load-timeout) and was given up", limit_ms)));
  });
}

size_t ModelLoader::waiting() const {
  std::lock_guard lock(mu_);
  return builds_;
}

}  // namespace redoubt::infer
