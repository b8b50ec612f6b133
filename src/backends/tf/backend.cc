// The TF backend's table. Everything that is thrown ends here.
#include <memory>

#include "backends/tf/model.h"
#include "backends/tf/runtime.h"
#include "infer/backend_api.h"

namespace {

using redoubt::backends::tf::Fail;
using redoubt::backends::tf::Guarded;
using redoubt::backends::tf::Model;
using redoubt::backends::tf::Runtime;
using redoubt::backends::tf::TfError;

// The C table has no place for a context; set once by start() and kept for the life of the process.
Runtime* g_runtime = nullptr;

// TensorFlow takes the longest time of a run before it begins and cannot be told to stop afterwards.
struct Run {
  int64_t limit_ms = 0;
};

Model* ToModel(redoubt_model* model) { return reinterpret_cast<Model*>(model); }
const Model* ToModel(const redoubt_model* model) { return reinterpret_cast<const Model*>(model); }
Run* ToRun(redoubt_run* run) { return reinterpret_cast<Run*>(run); }

int32_t Start(const redoubt_host* host, redoubt_error* error) {
  return Guarded(error, REDOUBT_INTERNAL, [&] {
    g_runtime = new Runtime(host);
    return static_cast<int32_t>(REDOUBT_OK);
  });
}

int32_t Load(const redoubt_model_source* source, redoubt_model** model, redoubt_error* error) {
  return Guarded(error, REDOUBT_INVALID_MODEL, [&] {
    std::unique_ptr<Model> loaded;
    const int32_t code = Model::Load(*source, *g_runtime, &loaded, error);
    if (code == REDOUBT_OK) *model = reinterpret_cast<redoubt_model*>(loaded.release());
    return code;
  });
}

void Unload(redoubt_model* model) { delete ToModel(model); }

uint64_t InputCount(const redoubt_model* model) { return ToModel(model)->inputs().size(); }
uint64_t OutputCount(const redoubt_model* model) { return ToModel(model)->outputs().size(); }
const redoubt_io* Input(const redoubt_model* model, uint64_t index) { return &ToModel(model)->inputs()[index]; }
const redoubt_io* Output(const redoubt_model* model, uint64_t index) { return &ToModel(model)->outputs()[index]; }
uint64_t Memory(const redoubt_model* model) { return ToModel(model)->memory(); }

redoubt_run* RunCreate(redoubt_error* error) {
  redoubt_run* run = nullptr;
  (void)Guarded(error, REDOUBT_INTERNAL, [&] {
    run = reinterpret_cast<redoubt_run*>(new Run());
    return static_cast<int32_t>(REDOUBT_OK);
  });
  return run;
}

void RunLimit(redoubt_run* run, int64_t limit_ms) { ToRun(run)->limit_ms = limit_ms; }

int32_t FailedRun(const TfError& e, int64_t limit_ms, redoubt_error* error) {
  switch (e.code()) {
    case TF_DEADLINE_EXCEEDED:
      return Fail(error, REDOUBT_CANCELLED,
                  "the run was stopped: it took longer than " + std::to_string(limit_ms) + " ms");
    case TF_CANCELLED:
      return Fail(error, REDOUBT_CANCELLED, e.what());
    case TF_RESOURCE_EXHAUSTED:
      return Fail(error, REDOUBT_OUT_OF_MEMORY, e.what());
    case TF_INVALID_ARGUMENT:
      return Fail(error, REDOUBT_INVALID_INPUT, e.what());
    default:
      return Fail(error, REDOUBT_RUN_FAILED, e.what());
  }
}

int32_t RunModel(redoubt_model* model, redoubt_run* run, const redoubt_view* inputs, redoubt_output* outputs,
                 redoubt_error* error) {
  return Guarded(error, REDOUBT_INVALID_INPUT, [&] {
    try {
      ToModel(model)->Run(ToRun(run)->limit_ms, inputs, outputs);
    } catch (const TfError& e) {
      return FailedRun(e, ToRun(run)->limit_ms, error);
    }
    return static_cast<int32_t>(REDOUBT_OK);
  });
}

void RunFree(redoubt_run* run) { delete ToRun(run); }

uint64_t MemoryTotal() { return g_runtime == nullptr ? 0 : g_runtime->memory_total(); }
uint64_t AllocationCount() { return 0; }

}  // namespace

extern "C" __attribute__((visibility("default"))) const redoubt_backend_v1* redoubt_backend_get() {
  static const redoubt_backend_v1 table = {
      .abi = REDOUBT_BACKEND_ABI,
      .table_size = sizeof(redoubt_backend_v1),
      .name = "TF",
      .version = TF_Version(),
      .start = &Start,
      .load = &Load,
      .unload = &Unload,
      .input_count = &InputCount,
      .output_count = &OutputCount,
      .input = &Input,
      .output = &Output,
      .memory = &Memory,
      .run_create = &RunCreate,
      .run = &RunModel,
      .run_cancel = nullptr,
      .run_free = &RunFree,
      .memory_total = &MemoryTotal,
      .allocation_count = &AllocationCount,
      .run_limit = &RunLimit,
      .counts_outputs_by_run = nullptr,
      .run_counting = nullptr,
      .opset = nullptr,
      .scripts = nullptr,
  };
  return &table;
}
