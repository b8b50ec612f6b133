#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "base/thread_annotations.h"
#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::ft {

// What a job of a reader thread needs of the keys.
class KeyReading {
 public:
  virtual ~KeyReading() = default;
  // Main thread: reads until `until_us` (SteadyMicros). True when all is read, or will not be: then
  // ContinueOnReader().
  virtual bool LoadSome(host::Context& effects, int64_t until_us) = 0;
  virtual void ContinueOnReader() = 0;
};

// Reads the keys that aggregations and others wait for, on the main thread, at most a millisecond at a time with one
// between, each job in turn.
class FieldLoader {
 public:
  // Any thread. The job lives until its client is released, which it does not do before it has its fields.
  void Add(KeyReading* job);

  int64_t longest_slice_us() const { return longest_slice_us_; }

 private:
  static void OnMainThread(void* self);
  static void OnTimer(RedisModuleCtx* ctx, void* self);
  void Arm(int after_ms);
  void RunSlice();

  std::mutex mu_;
  std::vector<KeyReading*> added_ GUARDED_BY(mu_);
  // Main thread only.
  std::deque<KeyReading*> jobs_;
  bool armed_ = false;
  int64_t longest_slice_us_ = 0;
};

}  // namespace redoubt::ft
