#pragma once

#include <cstdint>
#include <memory>

#include "base/latency_histogram.h"
#include "base/result.h"
#include "infer/executor.h"

namespace redoubt::ai {

class AiModule;

// Counted on the main thread, per key and not saved: AI.INFO and the section "model_runs" of INFO.
struct RunStats {
  uint64_t calls = 0;
  uint64_t errors = 0;
  uint64_t timeouts = 0;
  uint64_t duration_us = 0;
  uint64_t samples = 0;
  uint64_t rows = 0;  // of the executions that the calls were part of: rows / calls is the mean batch
  uint64_t max_rows = 0;
  base::LatencyHistogram queue_us;
  base::LatencyHistogram run_us;
};

// Counts one answered run of a model, also in the module's totals. `outputs` may be empty.
void CountRun(AiModule& ai, RunStats& stats, const base::Status& result, const infer::Tensors& outputs,
              const infer::RunTimes& times);
void CountRun(AiModule& ai, RunStats& stats, const base::Status& result, int64_t samples, const infer::RunTimes& times);

}  // namespace redoubt::ai
