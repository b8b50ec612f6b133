#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "module/host/args.h"
#include "module/host/context.h"

namespace redoubt::ai {

// The shared object of a backend, as AI.CONFIG LOADBACKEND takes it.
struct BackendToLoad {
  std::string name;
  std::string path;
};

// What an operator can set: by `CONFIG SET ai.<name>` (names of RegisterSettings), in redis.conf, or by the arguments
// of loadmodule in RedisAI's words. Read on the main thread.
struct Settings {
  std::string backends_path;               // BACKENDSPATH; default: backends/ beside the module
  int64_t threads_per_queue = 1;           // THREADS_PER_QUEUE, ai.threads-per-queue
  int64_t intra_op_threads = 0;            // INTRA_OP_PARALLELISM, ai.intra-op-threads; 0: the vendor's default
  int64_t inter_op_threads = 0;            // INTER_OP_PARALLELISM, ai.inter-op-threads
  int64_t queue_limit = 0;                 // ai.queue-limit
  int64_t model_execution_timeout_ms = 0;  // MODEL_EXECUTION_TIMEOUT, ai.model-execution-timeout
  int64_t load_timeout_s = 0;              // ai.load-timeout
  int64_t model_chunk_size = 0;            // MODEL_CHUNK_SIZE, ai.model-chunk-size
  int64_t tensor_max_bytes = 0;            // ai.tensor-max-bytes
  int64_t worker_nice = 0;                 // ai.worker-nice
  int64_t backend_memory_limit_mb = 0;     // BACKEND_MEMORY_LIMIT; 0: none
  std::string model_directory;             // ai.model-directory; empty: AI.MODELSTORE ... FILE is off
  bool validate_models = false;            // ai.validate-models: load each model in a process of its own first
  int64_t validate_timeout_s = 0;          // ai.validate-timeout
  int64_t validate_memory_mb = 0;          // ai.validate-memory; 0: no limit
  bool compat_redisai = false;             // ai.compat-redisai
  std::vector<BackendToLoad> backends;     // TF path, TORCH path, ...: not on first use but at once
};

class AiModule;

// Within OnLoad: registers ai.* with the server and reads redis.conf. Changes while running reach `ai` once it exists.
base::Status RegisterSettings(host::Context& ctx, Settings* settings);

// RedisAI's `loadmodule redisai.so NAME value ...`; `args` has no command name. InvalidArgument for an unknown name.
base::Status ParseLoadArguments(const host::Args& args, Settings* settings);

// The folder of the shared object that holds this function.
std::string ModuleDirectory();

}  // namespace redoubt::ai
