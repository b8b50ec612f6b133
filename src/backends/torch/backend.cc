// The TORCH backend's table. Everything that libtorch throws ends here.
#include <ATen/Parallel.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/version.h>

#include <string>
#include <utility>

#include "backends/torch/deep_stack.h"
#include "backends/torch/errors.h"
#include "backends/torch/model.h"
#include "backends/torch/operators.h"
#include "backends/torch/script.h"

namespace {

using redoubt::backends::torch::Fail;
using redoubt::backends::torch::Guarded;
using redoubt::backends::torch::Model;
using redoubt::backends::torch::OnDeepStack;
using redoubt::backends::torch::Script;

// The C table has no place for a context; set once by start() and kept for the life of the process.
const redoubt_host* g_host = nullptr;

Model* ToModel(redoubt_model* model) { return reinterpret_cast<Model*>(model); }
const Model* ToModel(const redoubt_model* model) { return reinterpret_cast<const Model*>(model); }
Script* ToScript(redoubt_script* script) { return reinterpret_cast<Script*>(script); }
const Script* ToScript(const redoubt_script* script) { return reinterpret_cast<const Script*>(script); }

// print() of a script or model; the server's output is a log.
void Print(const std::string& text) {
  if (g_host->log != nullptr) g_host->log(g_host->user, 0, ("torch: " + text).c_str());
}

int32_t Start(const redoubt_host* host, redoubt_error* error) {
  return Guarded(error, REDOUBT_INTERNAL, [&] {
    g_host = host;
    if (host->intra_op_threads > 0) at::set_num_threads(host->intra_op_threads);
    if (host->inter_op_threads > 0) at::set_num_interop_threads(host->inter_op_threads);
    torch::jit::setPrintHandler(&Print);
    redoubt::backends::torch::RemoveOperators();
    redoubt::backends::torch::AddScriptOperators();
    redoubt::backends::torch::RunTasksOnDeepStacks(*host);
    return static_cast<int32_t>(REDOUBT_OK);
  });
}

// Guarded(), on a deep stack.
template <class Body>
int32_t GuardedDeep(redoubt_error* error, redoubt_code on_failure, Body body) {
  return Guarded(error, on_failure, [&] {
    int32_t code = REDOUBT_INTERNAL;
    OnDeepStack(*g_host, [&] { code = Guarded(error, on_failure, body); });
    return code;
  });
}

// Without a thread for it, rather here than never.
template <class Object>
void DeleteDeep(Object* object) {
  redoubt_error ignored;
  const int32_t code = GuardedDeep(&ignored, REDOUBT_INTERNAL, [&] {
    delete std::exchange(object, nullptr);
    return static_cast<int32_t>(REDOUBT_OK);
  });
  if (code != REDOUBT_OK) delete object;
}

int32_t Load(const redoubt_model_source* source, redoubt_model** model, redoubt_error* error) {
  return GuardedDeep(error, REDOUBT_INVALID_MODEL, [&] {
    std::unique_ptr<Model> loaded;
    const int32_t code = Model::Load(*source, &loaded, error);
    if (code == REDOUBT_OK) *model = reinterpret_cast<redoubt_model*>(loaded.release());
    return code;
  });
}

void Unload(redoubt_model* model) { DeleteDeep(ToModel(model)); }

uint64_t InputCount(const redoubt_model* model) { return ToModel(model)->inputs().size(); }
uint64_t OutputCount(const redoubt_model* model) { return ToModel(model)->outputs().size(); }
const redoubt_io* Input(const redoubt_model* model, uint64_t index) { return &ToModel(model)->inputs()[index]; }
const redoubt_io* Output(const redoubt_model* model, uint64_t index) { return &ToModel(model)->outputs()[index]; }
uint64_t Memory(const redoubt_model* model) { return ToModel(model)->memory(); }

// A forward cannot be stopped, so there is nothing to keep for one.
redoubt_run* RunCreate(redoubt_error* /*error*/) {
  static char nothing = 0;
  return reinterpret_cast<redoubt_run*>(&nothing);
}
void RunFree(redoubt_run* /*run*/) {}

int32_t CountsOutputsByRun(const redoubt_model* model) { return ToModel(model)->counts_outputs_by_run() ? 1 : 0; }

int32_t RunCounting(redoubt_model* model, redoubt_run* /*run*/, const redoubt_view* inputs, redoubt_output* outputs,
                    uint64_t capacity, uint64_t* output_count, redoubt_error* error) {
  return GuardedDeep(error, REDOUBT_RUN_FAILED,
                     [&] { return ToModel(model)->Run(inputs, outputs, capacity, output_count, error); });
}

int32_t RunModel(redoubt_model* model, redoubt_run* run, const redoubt_view* inputs, redoubt_output* outputs,
                 redoubt_error* error) {
  uint64_t count = 0;
  return RunCounting(model, run, inputs, outputs, ToModel(model)->outputs().size(), &count, error);
}

uint64_t MemoryTotal() { return Model::MemoryTotal(); }
uint64_t AllocationCount() { return 0; }

int32_t ScriptCompile(const redoubt_script_source* source, redoubt_script** script, redoubt_error* error) {
  return GuardedDeep(error, REDOUBT_INVALID_MODEL, [&] {
    std::unique_ptr<Script> compiled;
    const int32_t code = Script::Compile(*source, &compiled, error);
    if (code == REDOUBT_OK) *script = reinterpret_cast<redoubt_script*>(compiled.release());
    return code;
  });
}

void ScriptFree(redoubt_script* script) { DeleteDeep(ToScript(script)); }
uint64_t ScriptFunctionCount(const redoubt_script* script) { return ToScript(script)->functions().size(); }
const redoubt_script_function* ScriptFunction(const redoubt_script* script, uint64_t index) {
  return &ToScript(script)->functions()[index];
}
uint64_t ScriptMemory(const redoubt_script* script) { return ToScript(script)->memory(); }

int32_t ScriptRun(redoubt_script* script, const redoubt_script_call* call, redoubt_output* outputs, uint64_t capacity,
                  uint64_t* output_count, redoubt_error* error) {
  return GuardedDeep(error, REDOUBT_RUN_FAILED,
                     [&] { return ToScript(script)->Run(*call, outputs, capacity, output_count, error); });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const redoubt_backend_v1* redoubt_backend_get() {
  static const redoubt_script_table scripts = {
      .compile = &ScriptCompile,
      .free = &ScriptFree,
      .function_count = &ScriptFunctionCount,
      .function = &ScriptFunction,
      .memory = &ScriptMemory,
      .run = &ScriptRun,
  };
  static const redoubt_backend_v1 table = {
      .abi = REDOUBT_BACKEND_ABI,
      .table_size = sizeof(redoubt_backend_v1),
      .name = "TORCH",
      .version = TORCH_VERSION,
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
      .run_limit = nullptr,
      .counts_outputs_by_run = &CountsOutputsByRun,
      .run_counting = &RunCounting,
      .opset = nullptr,
      .scripts = &scripts,
  };
  return &table;
}
