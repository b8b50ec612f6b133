#pragma once

#include <tensorflow/c/c_api.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "infer/backend_api.h"

namespace redoubt::backends::tf {

// What TensorFlow answered, as an exception: thrown where it was called and ended by Guarded.
class TfError : public std::runtime_error {
 public:
  TfError(TF_Code code, const char* message) : std::runtime_error(message), code_(code) {}
  TF_Code code() const { return code_; }

 private:
  TF_Code code_;
};

// The outcome of one call.
class Status {
 public:
  Status() : status_(TF_NewStatus()) {}
  ~Status() { TF_DeleteStatus(status_); }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;
  TF_Status* get() { return status_; }
  bool ok() const { return TF_GetCode(status_) == TF_OK; }
  // Throws TfError.
  void Check() const {
    if (!ok()) throw TfError(TF_GetCode(status_), TF_Message(status_));
  }

 private:
  TF_Status* status_;
};

// An error text for the caller's redoubt_error; returns `code`.
int32_t Fail(redoubt_error* error, redoubt_code code, const std::string& message);

// Runs `body`, which returns a code, and turns what it throws into a code and a message.
template <class Body>
int32_t Guarded(redoubt_error* error, redoubt_code on_failure, Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Fail(error, REDOUBT_OUT_OF_MEMORY, "TensorFlow has no memory left for this");
  } catch (const TfError& e) {
    return Fail(error, e.code() == TF_RESOURCE_EXHAUSTED ? REDOUBT_OUT_OF_MEMORY : on_failure, e.what());
  } catch (const std::exception& e) {
    return Fail(error, on_failure, e.what());
  } catch (...) {
    return Fail(error, REDOUBT_INTERNAL, "unknown exception from TensorFlow");
  }
}

// TensorFlow for this process. Its thread pools are shared by all sessions and made with the first of them, from the
// settings that every session of ours is given. They inherit priority and signal mask from the thread that loads the
// first model.
class Runtime {
 public:
  explicit Runtime(const redoubt_host* host);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  using Options = std::unique_ptr<TF_SessionOptions, decltype(&TF_DeleteSessionOptions)>;
  Options SessionOptions() const;

  // Whether `op` may keep one of its inputs beyond the run: it has a state of its own.
  bool MayKeepInputs(std::string_view op) const;

  void Count(int64_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  uint64_t memory_total() const { return static_cast<uint64_t>(bytes_.load(std::memory_order_relaxed)); }

 private:
  std::string config_;  // a serialized ConfigProto
  std::set<std::string, std::less<>> stateful_ops_;
  std::atomic<int64_t> bytes_ = 0;
};

// A serialized RunOptions that ends a run after `limit_ms`; empty for 0.
std::string RunOptionsFor(int64_t limit_ms);

}  // namespace redoubt::backends::tf
