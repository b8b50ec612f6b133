#include "module/ai/settings.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <filesystem>

#include "module/ai/ai_module.h"
#include "module/host/command.h"
#include "module/host/config.h"

namespace redoubt::ai {
namespace {

constexpr int64_t kMaxNumber = int64_t{1} << 62;
constexpr int64_t kMiB = 1024 * 1024;

AiModule* Running() { return host::StateOf<AiModule>::value; }

base::Status SetAtLeast(const host::Args& args, size_t i, int64_t min, int64_t* value) {
  const std::optional<int64_t> number = args.Integer(i + 1);
  if (!number || *number < min) {
    return base::InvalidArgument(fmt::format("{} needs a number of at least {}", args[i], min));
  }
  *value = *number;
  return base::OkStatus();
}

base::Status ParseOne(const host::Args& args, size_t i, Settings* settings) {
  if (args.Is(i, "BACKENDSPATH")) {
    settings->backends_path = std::string(args[i + 1]);
    return base::OkStatus();
  }
  if (args.Is(i, "THREADS_PER_QUEUE")) return SetAtLeast(args, i, 1, &settings->threads_per_queue);
  if (args.Is(i, "INTRA_OP_PARALLELISM")) return SetAtLeast(args, i, 1, &settings->intra_op_threads);
  if (args.Is(i, "INTER_OP_PARALLELISM")) return SetAtLeast(args, i, 1, &settings->inter_op_threads);
  if (args.Is(i, "MODEL_CHUNK_SIZE")) return SetAtLeast(args, i, 1, &settings->model_chunk_size);
  if (args.Is(i, "MODEL_EXECUTION_TIMEOUT")) return SetAtLeast(args, i, 1000, &settings->model_execution_timeout_ms);
  if (args.Is(i, "BACKEND_MEMORY_LIMIT")) return SetAtLeast(args, i, 1, &settings->backend_memory_limit_mb);
  if (infer::BackendRegistry::IsKnown(args[i])) {
    settings->backends.push_back({std::string(args[i]), std::string(args[i + 1])});
    return base::OkStatus();
  }
  return base::InvalidArgument(
      fmt::format("unknown argument '{}' of loadmodule; known: ONNX, TF, TFLITE, TORCH, BACKENDSPATH, "
                  "THREADS_PER_QUEUE, INTRA_OP_PARALLELISM, "
                  "INTER_OP_PARALLELISM, MODEL_CHUNK_SIZE, MODEL_EXECUTION_TIMEOUT, BACKEND_MEMORY_LIMIT",
                  args[i]));
}

}  // namespace

base::Status RegisterSettings(host::Context& ctx, Settings* s) {
  const host::NumberConfig numbers[] = {
      {"threads-per-queue", 1, 1, 256, true, &s->threads_per_queue, {}},
      {"intra-op-threads", 0, 0, 1024, true, &s->intra_op_threads, {}},
      {"inter-op-threads", 0, 0, 1024, true, &s->inter_op_threads, {}},
      {"worker-nice", 5, 0, 19, true, &s->worker_nice, {}},
      {"queue-limit", 10000, 1, 10'000'000, false, &s->queue_limit,
       [](int64_t value) {
         if (Running() != nullptr) Running()->executor().SetQueueLimit(static_cast<size_t>(value));
       }},
      {"model-execution-timeout", 5000, 0, kMaxNumber, false, &s->model_execution_timeout_ms,
       [](int64_t value) {
         if (Running() != nullptr) Running()->executor().SetMaxRunMs(value);
       }},
      {"load-timeout", 300, 0, 86'400, false, &s->load_timeout_s,
       [](int64_t value) {
         if (Running() != nullptr) Running()->loader().SetTaskLimit(value * 1000);
       }},
      {"model-chunk-size", 511 * kMiB, 1, kMaxNumber, false, &s->model_chunk_size, {}},
      {"validate-timeout", 60, 1, 86'400, false, &s->validate_timeout_s,
       [](int64_t value) {
         if (Running() != nullptr) Running()->model_check().SetMaxSeconds(value);
       }},
      {"validate-memory", 8192, 0, int64_t{1} << 32, false, &s->validate_memory_mb,
       [](int64_t value) {
         if (Running() != nullptr) Running()->model_check().SetMaxMegabytes(value);
       }},
      {"tensor-max-bytes", 512 * kMiB, 1, kMaxNumber, false, &s->tensor_max_bytes, {}},
  };
  for (const host::NumberConfig& number : numbers) RETURN_IF_ERROR(host::RegisterConfig(ctx, number));
  RETURN_IF_ERROR(host::RegisterConfig(ctx, host::BoolConfig{"compat-redisai", false, &s->compat_redisai}));
  RETURN_IF_ERROR(
      host::RegisterConfig(ctx, host::BoolConfig{"validate-models", false, &s->validate_models, [](bool on) {
                                                   if (Running() != nullptr) Running()->model_check().Enable(on);
                                                 }}));
  RETURN_IF_ERROR(host::RegisterConfig(ctx, host::TextConfig{"model-directory", "", true, &s->model_directory}));
  return host::LoadConfigs(ctx);
}

base::Status ParseLoadArguments(const host::Args& args, Settings* settings) {
  for (size_t i = 0; i < args.size(); i += 2) {
    if (i + 1 == args.size()) return base::InvalidArgument(fmt::format("{} has no value", args[i]));
    RETURN_IF_ERROR(ParseOne(args, i, settings));
  }
  return base::OkStatus();
}

std::string ModuleDirectory() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&ModuleDirectory), &info) == 0 || info.dli_fname == nullptr) return ".";
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, error);
  return error ? std::string(".") : file.parent_path().string();
}

}  // namespace redoubt::ai
