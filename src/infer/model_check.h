#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "infer/model.h"

namespace redoubt::infer {

// Loads a model in a process of its own before the server does: a model file that crashes its vendor's loader, or makes
// it take all memory, ends that process (redoubt_model_check, model_check_main.cc). Safe on many threads; the setters
// hold for checks that begin later.
class ModelCheck {
 public:
  // program: path of redoubt_model_check.
  ModelCheck(BackendRegistry& registry, std::string program) : registry_(registry), program_(std::move(program)) {}

  void Enable(bool on) { on_ = on; }
  void SetMaxSeconds(int64_t seconds) { max_seconds_ = seconds; }
  // Of address space, the vendor's libraries included; 0: no limit.
  void SetMaxMegabytes(int64_t megabytes) { max_megabytes_ = megabytes; }

  // Ok at once when not enabled; else blocks until the process has ended. InvalidArgument with the vendor's words when
  // it refused the model, or with the reason when the process died; Internal when there could be none. Loads the
  // backend here too. Models for a GPU are checked on the CPU.
  base::Status Check(const ModelSpec& spec) const;

 private:
  BackendRegistry& registry_;
  const std::string program_;
  std::atomic<bool> on_ = false;
  std::atomic<int64_t> max_seconds_ = 60;
  std::atomic<int64_t> max_megabytes_ = 8192;
};

}  // namespace redoubt::infer
