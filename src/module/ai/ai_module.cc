#include "module/ai/ai_module.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "module/host/memory_use.h"

namespace redoubt::ai {

void* LimitedMemory::Allocate(size_t bytes, size_t alignment) {
  const size_t limit = std::min(limit_ > 0 ? limit_ : SIZE_MAX, room_.load(std::memory_order_relaxed));
  const size_t used = used_.fetch_add(bytes) + bytes;
  void* p = used < bytes || used > limit ? nullptr : memory_.Allocate(bytes, alignment);
  if (p == nullptr) used_.fetch_sub(bytes);
  return p;
}

void LimitedMemory::Deallocate(void* p, size_t bytes, size_t alignment) {
  used_.fetch_sub(bytes);
  memory_.Deallocate(p, bytes, alignment);
}

void LimitedMemory::HoldTo(size_t server_limit, size_t server_used) {
  if (server_limit == 0) {
    room_ = SIZE_MAX;
    return;
  }
  const size_t others = server_used - std::min(server_used, used_.load());
  room_ = std::max(server_limit - std::min(server_limit, others), server_limit / 4);
}

AiModule::AiModule(Settings* settings, base::Logger logger, base::MemoryResource& memory)
    : settings_(settings),
      logger_(std::move(logger)),
      memory_(memory),
      backend_memory_(memory, static_cast<size_t>(settings->backend_memory_limit_mb) * 1'000'000),
      registry_({.directory = settings->backends_path,
                 .threads = static_cast<int>(settings->intra_op_threads),
                 .inter_op_threads = static_cast<int>(settings->inter_op_threads),
                 .nice = static_cast<int>(settings->worker_nice),
                 .logger = logger_,
                 .memory = &backend_memory_}),
      model_check_(registry_, ModuleDirectory() + "/redoubt_model_check"),
      loader_(registry_, {.nice = static_cast<int>(settings->worker_nice),
                          .logger = logger_,
                          .check = &model_check_,
                          .task_limit_ms = settings->load_timeout_s * 1000}),
      reader_({.name = "ai-reader", .nice = static_cast<int>(settings->worker_nice), .logger = logger_}),
      executor_({.threads_per_device = static_cast<size_t>(settings->threads_per_queue),
                 .queue_limit = static_cast<size_t>(settings->queue_limit),
                 .max_run_ms = settings->model_execution_timeout_ms,
                 .nice = static_cast<int>(settings->worker_nice),
                 .memory = &memory}) {
  model_check_.Enable(settings->validate_models);
  model_check_.SetMaxSeconds(settings->validate_timeout_s);
  model_check_.SetMaxMegabytes(settings->validate_memory_mb);
}

void AiModule::ShareMemory(host::Context& ctx) {
  constexpr int64_t kEveryUs = 100'000;
  const int64_t now_us = infer::SteadyNowUs();
  if (memory_shared_at_us_ != 0 && now_us - memory_shared_at_us_ < kEveryUs) return;
  memory_shared_at_us_ = now_us;
  const host::MemoryUse memory = host::ReadMemoryUse(ctx);
  backend_memory_.HoldTo(memory.limit, memory.used);
}

void AiModule::LoadBackends() {
  for (const BackendToLoad& backend : settings_->backends) {
    const base::Status loaded = registry_.LoadFrom(backend.name, backend.path);
    if (!loaded.ok()) logger_.Warning("the backend {} is not loaded: {}", backend.name, loaded.message());
  }
}

bool AiModule::StopWithin(int64_t timeout_ms) {
  const bool runs_ended = executor_.StopWithin(timeout_ms);
  const bool loader_ended = loader_.StopWithin(timeout_ms / 2);
  const bool reader_ended = reader_.StopWithin(timeout_ms / 2);
  return runs_ended && loader_ended && reader_ended;
}

}  // namespace redoubt::ai
