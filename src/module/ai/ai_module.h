#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/memory.h"
#include "infer/backend_registry.h"
#include "infer/background_thread.h"
#include "infer/executor.h"
#include "infer/model_loader.h"
#include "module/ai/key_names.h"
#include "module/ai/settings.h"
#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::ai {

// Counted on the main thread, shown by INFO.
struct Counters {
  uint64_t executions = 0;
  uint64_t execution_errors = 0;
  uint64_t timeouts = 0;
  uint64_t refused = 0;
  uint64_t models_stored = 0;
  uint64_t store_errors = 0;
  uint64_t outputs_not_stored = 0;  // the world had changed when the run was done
};

// What the backends may take at most: BACKEND_MEMORY_LIMIT (0: no limit), and what maxmemory leaves, see HoldTo().
class LimitedMemory final : public base::MemoryResource {
 public:
  LimitedMemory(base::MemoryResource& memory, size_t limit) : memory_(memory), limit_(limit) {}
  // From time to time: the backends share `server_limit` bytes (maxmemory; 0: none) with the rest of the server, which
  // uses `server_used` with them. What they take makes the server evict keys, so they get what is free or a quarter of
  // all, whichever is more: a full cache gives way to a run, but does not empty for it.
  void HoldTo(size_t server_limit, size_t server_used);
  void* Allocate(size_t bytes, size_t alignment) override;
  void Deallocate(void* p, size_t bytes, size_t alignment) override;

 private:
  base::MemoryResource& memory_;
  const size_t limit_;
  std::atomic<size_t> room_ = SIZE_MAX;
  std::atomic<size_t> used_ = 0;
};

// Everything behind AI.*: built by OnLoad, kept for the life of the process.
class AiModule {
 public:
  AiModule(Settings* settings, base::Logger logger, base::MemoryResource& memory);
  AiModule(const AiModule&) = delete;
  AiModule& operator=(const AiModule&) = delete;

  Settings& settings() { return *settings_; }
  infer::BackendRegistry& registry() { return registry_; }
  infer::ModelCheck& model_check() { return model_check_; }
  infer::ModelLoader& loader() { return loader_; }
  // For what a command would copy or read too long on the main thread.
  infer::BackgroundThread& reader() { return reader_; }
  infer::Executor& executor() { return executor_; }
  base::MemoryResource& memory() { return memory_; }
  const base::Logger& logger() const { return logger_; }
  Counters& counters() { return counters_; }
  KeyNames& model_names() { return model_names_; }
  KeyNames& script_names() { return script_names_; }

  // Before work that may take memory: tells the backends, now and then, what the server has left for them.
  void ShareMemory(host::Context& ctx);

  // Loads the backends that the arguments of loadmodule name. One that cannot be loaded is a warning in the log: data
  // that does not need it is served all the same.
  void LoadBackends();

  // Refuses new work, stops runs and joins the threads; false when one is still inside a vendor's code.
  bool StopWithin(int64_t timeout_ms);

 private:
  Settings* settings_;
  base::Logger logger_;
  base::MemoryResource& memory_;
  LimitedMemory backend_memory_;
  int64_t memory_shared_at_us_ = 0;
  infer::BackendRegistry registry_;
  infer::ModelCheck model_check_;
  infer::ModelLoader loader_;
  infer::BackgroundThread reader_;
  infer::Executor executor_;
  Counters counters_;
  KeyNames model_names_;
  KeyNames script_names_;
};

}  // namespace redoubt::ai
