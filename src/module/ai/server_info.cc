// The sections of INFO, in RedisAI's order. Every field gets the prefix "ai_" from the server. Runs on the main thread,
// and in a crash report also elsewhere: then it only says what needs no lock.
#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "base/build_info.h"
#include "module/ai/commands.h"
#include "module/ai/data_types.h"
#include "module/host/blocked_client.h"
#include "module/host/key.h"

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
  Text(info, "git_sha", std::string(base::GitSha()));
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
    Count(info, "discarded", queue.discarded);
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

// A key as part of a line of INFO: what would end the field's name or the line becomes '_', and the rest is cut.
std::string FieldName(int db, const std::string& key) {
  constexpr size_t kLongest = 64;
  std::string name = fmt::format("db{}_{}", db, key.substr(0, kLongest));
  for (char& c : name) {
    if (c == ':' || c == '=' || c == ',' || static_cast<unsigned char>(c) <= ' ') c = '_';
  }
  return name;
}

void AddModelRuns(RedisModuleInfoCtx* info, const std::string& field, const ModelValue& model) {
  const RunStats& stats = *model.stats;
  const uint64_t calls = std::max<uint64_t>(stats.calls, 1);
  RedisModule_InfoBeginDictField(info, field.c_str());
  Count(info, "calls", stats.calls);
  Count(info, "errors", stats.errors);
  Count(info, "timeouts", stats.timeouts);
  Count(info, "queue_us_p50", stats.queue_us.Quantile(0.5));
  Count(info, "queue_us_p99", stats.queue_us.Quantile(0.99));
  Count(info, "run_us_p50", stats.run_us.Quantile(0.5));
  Count(info, "run_us_p99", stats.run_us.Quantile(0.99));
  RedisModule_InfoAddFieldDouble(info, "batch_mean", static_cast<double>(stats.rows) / static_cast<double>(calls));
  Count(info, "batch_max", stats.max_rows);
  Count(info, "memory", model.memory_bytes());
  RedisModule_InfoEndDictField(info);
}

// Looked up without a trace: reading INFO is no use of a key.
void AddAllModelRuns(RedisModuleInfoCtx* info, AiModule& ai) {
  constexpr size_t kMostModels = 128;
  RedisModule_InfoAddSection(info, "model_runs");
  size_t shown = 0;
  for (const auto& [db, name] : ai.model_names().all()) {
    if (shown == kMostModels) break;
    host::Context effects = host::EffectsContext::InDatabase(db);
    const host::String key_name(name);
    const host::Key key = host::Key::Peek(effects, key_name.raw());
    if (const ModelValue* model = ModelAt(key)) {
      AddModelRuns(info, FieldName(db, name), *model);
      ++shown;
    }
  }
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
  AddAllModelRuns(info, ai);
}

}  // namespace redoubt::ai
