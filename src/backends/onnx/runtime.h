#pragma once

#include <onnxruntime_cxx_api.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <string>

#include "infer/backend_api.h"

namespace redoubt::backends::onnx {

// An error text for the caller's redoubt_error; returns `code`.
int32_t Fail(redoubt_error* error, redoubt_code code, const std::string& message);

// The host has no room left. ONNX Runtime quotes what() where an operator of a model meets it.
class NoRoom : public std::bad_alloc {
 public:
  const char* what() const noexcept override { return "Onnxruntime memory limit exceeded, memory allocation failed."; }
};

// Runs `body`, which returns a code, and turns what it throws into a code and a message: vendor exceptions end here.
template <class Body>
int32_t Guarded(redoubt_error* error, redoubt_code on_failure, Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Fail(error, REDOUBT_OUT_OF_MEMORY, NoRoom().what());
  } catch (const std::exception& e) {
    return Fail(error, on_failure, e.what());
  } catch (...) {
    return Fail(error, REDOUBT_INTERNAL, "unknown exception from ONNX Runtime");
  }
}

// ONNX Runtime for this process: one environment, one thread pool, one allocator over the host's memory. Created once
// and never destroyed, because tensors that were handed out may outlive every orderly end.
class Runtime {
 public:
  // Throws Ort::Exception.
  explicit Runtime(const redoubt_host* host);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Options that every session of ours has.
  Ort::SessionOptions SessionOptions() const;
  Ort::Env& env() { return env_; }
  const OrtMemoryInfo* cpu() const { return cpu_; }
  OrtAllocator* allocator() { return &allocator_; }

  // ONNX Runtime keeps weights in memory of its own, past every allocator one can register: counted here by hand, and
  // refused beforehand where the host has no room for as much.
  bool HasRoom(uint64_t bytes) const;
  void CountWeights(int64_t bytes) { weights_.fetch_add(bytes, std::memory_order_relaxed); }

  uint64_t memory_total() const {
    return bytes_.load(std::memory_order_relaxed) + static_cast<uint64_t>(weights_.load(std::memory_order_relaxed));
  }
  uint64_t allocation_count() const { return allocations_.load(std::memory_order_relaxed); }

  // What this thread has taken minus what it gave back since the value was last set; for the cost of loading a model.
  static int64_t& ThreadBalance();

 private:
  struct Allocator : OrtAllocator {
    Runtime* runtime = nullptr;
  };

  static Ort::Env MakeEnv(const redoubt_host* host);
  static void* Allocate(OrtAllocator* self, size_t size);
  static void Free(OrtAllocator* self, void* p);
  static const OrtMemoryInfo* Info(const OrtAllocator* self);

  const redoubt_host* host_;
  std::atomic<uint64_t> bytes_ = 0;
  std::atomic<int64_t> weights_ = 0;
  std::atomic<uint64_t> allocations_ = 0;
  Allocator allocator_;
  Ort::Env env_;
  Ort::MemoryInfo cpu_;
};

}  // namespace redoubt::backends::onnx
