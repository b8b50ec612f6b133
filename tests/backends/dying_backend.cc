// A backend whose models say how their loader dies: "abort", "segv", "exit", "memory" (takes all), "hang",
// "litter" (leaves a file behind and aborts). It takes the name TFLITE, which no other backend has. A model "good"
// loads; none of them runs.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include "infer/backend_api.h"

// The models here have nothing to keep.
struct redoubt_model {};

namespace {

int32_t Fail(redoubt_error* error, int32_t code, const char* text) {
  std::snprintf(error->message, sizeof error->message, "%s", text);
  return code;
}

void TakeAllMemory() {
  for (size_t piece = 0; piece < 65'536; ++piece) std::memset(new char[size_t{1} << 24], 1, size_t{1} << 24);
}

void Litter() {
  const std::string file = std::string(std::getenv("TMPDIR")) + "/litter";
  close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  std::abort();
}

int32_t Load(const redoubt_model_source* source, redoubt_model** model, redoubt_error* error) {
  const std::string_view how(static_cast<const char*>(source->blob), source->blob_size);
  if (how == "abort") std::abort();
  if (how == "segv") raise(SIGSEGV);
  if (how == "exit") _exit(0);
  if (how == "litter") Litter();
  if (how == "memory") {
    try {
      TakeAllMemory();
    } catch (const std::bad_alloc&) {
      return Fail(error, REDOUBT_OUT_OF_MEMORY, "this model takes all memory");
    }
  }
  while (how == "hang") pause();
  if (how != "good") return Fail(error, REDOUBT_INVALID_MODEL, "no such way to die");
  *model = new redoubt_model;
  return REDOUBT_OK;
}

int32_t Run(redoubt_model*, redoubt_run*, const redoubt_view*, redoubt_output*, redoubt_error* error) {
  return Fail(error, REDOUBT_RUN_FAILED, "these models do not run");
}

uint64_t Zero(const redoubt_model*) { return 0; }
uint64_t None() { return 0; }
const redoubt_io* NoIo(const redoubt_model*, uint64_t) { return nullptr; }

const redoubt_backend_v1 kTable = {
    .abi = REDOUBT_BACKEND_ABI,
    .table_size = sizeof(redoubt_backend_v1),
    .name = "TFLITE",
    .version = "test",
    .start = [](const redoubt_host*, redoubt_error*) -> int32_t { return REDOUBT_OK; },
    .load = &Load,
    .unload = [](redoubt_model* model) { delete model; },
    .input_count = &Zero,
    .output_count = &Zero,
    .input = &NoIo,
    .output = &NoIo,
    .memory = &Zero,
    .run_create = [](redoubt_error*) { return reinterpret_cast<redoubt_run*>(new char); },
    .run = &Run,
    .run_cancel = nullptr,
    .run_free = [](redoubt_run* run) { delete reinterpret_cast<char*>(run); },
    .memory_total = &None,
    .allocation_count = &None,
    .run_limit = nullptr,
    .counts_outputs_by_run = nullptr,
    .run_counting = nullptr,
    .opset = nullptr,
    .scripts = nullptr,
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const redoubt_backend_v1* redoubt_backend_get() { return &kTable; }
