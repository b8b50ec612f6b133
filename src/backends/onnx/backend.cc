// The ONNX backend's table. Everything that ONNX Runtime throws ends here.
#include <new>
#include <stdexcept>

#include "backends/onnx/model.h"
#include "backends/onnx/runtime.h"
#include "infer/backend_api.h"

namespace {

using redoubt::backends::onnx::Fail;
using redoubt::backends::onnx::Guarded;
using redoubt::backends::onnx::Model;
using redoubt::backends::onnx::Runtime;

// The C table has no place for a context; set once by start() and kept for the life of the process.
Runtime* g_runtime = nullptr;

Model* ToModel(redoubt_model* model) { return reinterpret_cast<Model*>(model); }
const Model* ToModel(const redoubt_model* model) { return reinterpret_cast<const Model*>(model); }
Ort::RunOptions* ToRun(redoubt_run* run) { return reinterpret_cast<Ort::RunOptions*>(run); }

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
int64_t Opset(const redoubt_model* model) { return ToModel(model)->opset(); }

redoubt_run* RunCreate(redoubt_error* error) {
  redoubt_run* run = nullptr;
  (void)Guarded(error, REDOUBT_INTERNAL, [&] {
    run = reinterpret_cast<redoubt_run*>(new Ort::RunOptions());
    return static_cast<int32_t>(REDOUBT_OK);
  });
  return run;
}

redoubt_code CodeOf(const Ort::Exception& e) {
  const std::string_view text = e.what();
  if (text.find("terminate flag") != std::string_view::npos) return REDOUBT_CANCELLED;
  return e.GetOrtErrorCode() == ORT_INVALID_ARGUMENT ? REDOUBT_INVALID_INPUT : REDOUBT_RUN_FAILED;
}

int32_t RunModel(redoubt_model* model, redoubt_run* run, const redoubt_view* inputs, redoubt_output* outputs,
                 redoubt_error* error) {
  return Guarded(error, REDOUBT_RUN_FAILED, [&] {
    try {
      ToModel(model)->Run(*ToRun(run), inputs, outputs);
    } catch (const Ort::Exception& e) {
      return Fail(error, CodeOf(e), e.what());
    }
    return static_cast<int32_t>(REDOUBT_OK);
  });
}

void RunCancel(redoubt_run* run) {
  redoubt_error ignored;
  (void)Guarded(&ignored, REDOUBT_INTERNAL, [&] {
    ToRun(run)->SetTerminate();
    return static_cast<int32_t>(REDOUBT_OK);
  });
}

void RunFree(redoubt_run* run) { delete ToRun(run); }

uint64_t MemoryTotal() { return g_runtime == nullptr ? 0 : g_runtime->memory_total(); }
uint64_t AllocationCount() { return g_runtime == nullptr ? 0 : g_runtime->allocation_count(); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const redoubt_backend_v1* redoubt_backend_get() {
  static const redoubt_backend_v1 table = {
      .abi = REDOUBT_BACKEND_ABI,
      .table_size = sizeof(redoubt_backend_v1),
      .name = "ONNX",
      .version = OrtGetApiBase()->GetVersionString(),
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
      .run_cancel = &RunCancel,
      .run_free = &RunFree,
      .memory_total = &MemoryTotal,
      .allocation_count = &AllocationCount,
      .run_limit = nullptr,
      .counts_outputs_by_run = nullptr,
      .run_counting = nullptr,
      .opset = &Opset,
      .scripts = nullptr,
  };
  return &table;
}
