#pragma once

#include <deque>
#include <mutex>
#include <vector>

#include "base/thread_annotations.h"
#include "module/host/api.h"

namespace redoubt::ft {

class AggregateJob;

// Reads the fields of hashes that aggregations wait for, on the main thread, at most a millisecond at a time with one
// between, each aggregation in turn.
class FieldLoader {
 public:
  // Any thread. The job lives until its client is released, which it does not do before it has its fields.
  void Add(AggregateJob* job);

  int64_t longest_slice_us() const { return longest_slice_us_; }

 private:
  static void OnMainThread(void* self);
  static void OnTimer(RedisModuleCtx* ctx, void* self);
  void Arm(int after_ms);
  void RunSlice();

  std::mutex mu_;
  std::vector<AggregateJob*> added_ GUARDED_BY(mu_);
  // Main thread only.
  std::deque<AggregateJob*> jobs_;
  bool armed_ = false;
  int64_t longest_slice_us_ = 0;
};

}  // namespace redoubt::ft
