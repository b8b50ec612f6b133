// The sections of INFO, in RedisAI's order. Every field gets the prefix "ai_" from the server. Runs on the main thread,
// and in a crash report also elsewhere: then it only says what needs no lock.
#include <fmt/core.h>
#include <sys/resource.h>

#include <string>

#include "module/ai/commands.h"

namespace redoubt::ai {
namespace {

// The RedisAI whose commands and replies these are, and the version of Redoubt itself.
constexpr const char* kRedisAiSurface = "1.2.7";

void Text(RedisModuleInfoCtx* info, const char* field, const std::string& value) {
  RedisModule_InfoAddFieldCString(info, field, value.c_str());
}

void Count(RedisModuleInfoCtx* info, const char* field, uint64_t value) {
  RedisModule_InfoAddFieldULongLong(info, field, value);
}

void AddVersions(RedisModuleInfoCtx* info) {
  RedisModule_InfoAddSection(info, "versions");
  Text(info, "RedisAI_version", kRedisAiSurface);
  Count(info, "low_level_API_version", 1);
  Count(info, "rdb_version", 5);
  RedisModule_InfoAddSection(info, "git");
  Text(info, "git_sha", "unknown");
}

void AddLoadTimeConfigs(RedisModuleInfoCtx* info, const Settings& settings) {
  RedisModule_InfoAddSection(info, "load_time_configs");
  Count(info, "threads_per_queue", static_cast<uint64_t>(settings.threads_per_queue));
  Count(info, "inter_op_parallelism", static_cast<uint64_t>(settings.inter_op_threads));
  Count(info, "intra_op_parallelism", static_cast<uint64_t>(settings.intra_op_threads));
  Count(info, "model_execution_timeout", static_cast<uint64_t>(settings.model_execution_timeout_ms));
  Count(info, "backend_memory_limit", static_cast<uint64_t>(settings.backend_memory_limit_mb));
}

// RedisAI's names.
std::string VersionField(std::string_view backend) {
  if (backend == "ONNX") return "onnxruntime_version";
  if (backend == "TF") return "TensorFlow_version";
  if (backend == "TFLITE") return "TensorFlowLite_version";
  return "Torch_version";
}

void AddBackends(RedisModuleInfoCtx* info, AiModule& ai) {
  RedisModule_InfoAddSection(info, "backends_info");
  for (const infer::Backend* backend : ai.registry().Loaded()) {
    Text(info, VersionField(backend->name()).c_str(), std::string(backend->version()));
    if (backend->name() != "ONNX") continue;
    Count(info, "onnxruntime_memory", backend->table().memory_total());
    Count(info, "onnxruntime_memory_access_num", backend->table().allocation_count());
    Count(info, "onnxruntime_maximum_run_sessions_number",
          static_cast<uint64_t>(ai.settings().threads_per_queue) * ai.executor().Stats().size());
  }
}

void AddTime(RedisModuleInfoCtx* info, const char* field, const timeval& time) {
  Text(info, field, fmt::format("{}.{:06}", time.tv_sec, time.tv_usec));
}

void AddUsage(RedisModuleInfoCtx* info, const std::string& who, int usage_of) {
  rusage usage{};
  getrusage(usage_of, &usage);
  AddTime(info, (who + "_used_cpu_sys").c_str(), usage.ru_stime);
  AddTime(info, (who + "_used_cpu_user").c_str(), usage.ru_utime);
}

void AddCpu(RedisModuleInfoCtx* info, const std::vector<infer::QueueStats>& queues) {
  RedisModule_InfoAddSection(info, "cpu");
  AddUsage(info, "self", RUSAGE_SELF);
  AddUsage(info, "children", RUSAGE_CHILDREN);
  AddUsage(info, "main_thread", RUSAGE_THREAD);
  for (const infer::QueueStats& queue : queues) {
    for (size_t i = 0; i < queue.thread_cpu_seconds.size(); ++i) {
      const std::string field = fmt::format("queue_{}_bthread_n{}_used_cpu_total", queue.device, i + 1);
      Text(info, field.c_str(), fmt::format("{:.6f}", queue.thread_cpu_seconds[i]));
    }
  }
}

void AddQueues(RedisModuleInfoCtx* info, const std::vector<infer::QueueStats>& queues) {
  RedisModule_InfoAddSection(info, "queues");
  for (const infer::QueueStats& queue : queues) {
    const std::string name = "queue_" + queue.device;
    RedisModule_InfoBeginDictField(info, name.c_str());
    Count(info, "waiting", queue.waiting);
    Count(info, "running", queue.running);
    Count(info, "runs", queue.runs);
    Count(info, "requests", queue.requests);
    Count(info, "timeouts", queue.timeouts);
    Count(info, "refused", queue.refused);
    RedisModule_InfoEndDictField(info);
  }
}

void AddModels(RedisModuleInfoCtx* info, AiModule& ai) {
  const Counters& counters = ai.counters();
  RedisModule_InfoAddSection(info, "models");
  Count(info, "models_stored", counters.models_stored);
  Count(info, "models_loading", ai.loader().waiting());
  Count(info, "executions", counters.executions);
  RedisModule_InfoAddSection(info, "errors");
  Count(info, "execution_errors", counters.execution_errors);
  Count(info, "execution_timeouts", counters.timeouts);
  Count(info, "executions_refused", counters.refused);
  Count(info, "outputs_not_stored", counters.outputs_not_stored);
  Count(info, "store_errors", counters.store_errors);
}

}  // namespace

void FillServerInfo(RedisModuleInfoCtx* info, int for_crash_report) {
  AiModule& ai = *host::StateOf<AiModule>::value;
  AddVersions(info);
  AddLoadTimeConfigs(info, ai.settings());
  if (for_crash_report != 0) return;
  AddBackends(info, ai);
  const std::vector<infer::QueueStats> queues = ai.executor().Stats();
  AddCpu(info, queues);
  AddQueues(info, queues);
  AddModels(info, ai);
}

}  // namespace redoubt::ai
