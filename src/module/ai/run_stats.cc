#include "module/ai/run_stats.h"

#include <algorithm>

#include "module/ai/ai_module.h"

namespace redoubt::ai {

void CountRun(AiModule& ai, RunStats& stats, const base::Status& result, const infer::Tensors& outputs,
              const infer::RunTimes& times) {
  const bool has_rows = result.ok() && !outputs.empty() && !outputs[0]->shape().empty();
  CountRun(ai, stats, result, has_rows ? outputs[0]->shape()[0] : 0, times);
}

void CountRun(AiModule& ai, RunStats& stats, const base::Status& result, int64_t samples,
              const infer::RunTimes& times) {
  ++ai.counters().executions;
  stats.queue_us.Record(static_cast<uint64_t>(std::max<int64_t>(times.queue_us, 0)));
  if (result.code() == base::StatusCode::kDeadlineExceeded) {
    ++ai.counters().timeouts;
    ++stats.timeouts;
    return;
  }
  ++stats.calls;
  stats.duration_us += static_cast<uint64_t>(times.run_us);
  stats.run_us.Record(static_cast<uint64_t>(times.run_us));
  stats.rows += static_cast<uint64_t>(times.batch_rows);
  stats.max_rows = std::max(stats.max_rows, static_cast<uint64_t>(times.batch_rows));
  if (!result.ok()) {
    ++stats.errors;
    ++ai.counters().execution_errors;
  } else {
    stats.samples += static_cast<uint64_t>(samples);
  }
}

}  // namespace redoubt::ai
