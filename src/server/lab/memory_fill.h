#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "resp/client.h"

namespace redoubt::lab {

// How much memory to take and how fast.
struct FillPlan {
  int64_t target_bytes = 0;  // growth of used_memory
  double bytes_per_second = 0;
};

// Slow enough that at least three polls fall on each tenth of maxmemory, yet done within `budget_ms`.
FillPlan PlanFill(int64_t maxmemory, int64_t used_memory, int64_t wanted_bytes, int interval_ms, int64_t budget_ms);

struct FillProgress {
  double share = 0;       // 0..1 of the target
  bool finished = false;  // the target is reached, or the server refused
  int64_t refused = 0;    // writes that the server refused
  std::string refusal;    // its words: "OOM command not allowed …"
  base::Status failure;   // the connection broke
};

// Writes strings under kKeyPrefix until the target is reached or the server refuses, pacing itself by the server's own
// used_memory; then tries one write a second, as an application would. Every key expires at `expire_at_ms`. Runs on the
// caller's thread until `stop`; `report` is called after each tick.
void FillMemory(resp::Client& client, const FillPlan& plan, int64_t expire_at_ms, const base::Clock& clock,
                const std::atomic<bool>& stop, const std::function<void(const FillProgress&)>& report);

// One write of `bytes`: the server's refusal, or nothing.
base::Result<std::string> TryWrite(resp::Client& client, const std::string& key, size_t bytes, int64_t ttl_ms);

// Deletes all keys under kKeyPrefix. The number of them.
base::Result<int64_t> DeleteFaultKeys(resp::Client& client);

}  // namespace redoubt::lab
