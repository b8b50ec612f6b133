#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/status.h"
#include "infer/dag_plan.h"

namespace redoubt::infer {

struct DagOpResult {
  enum class State {
    kNotRun,   // something before it failed, or the time was over
    kRunning,  // it was, when the time was over
    kDone,
    kFailed,
    kRefused,  // could not be started
  };
  State state = State::kNotRun;
  base::Status status;  // why it failed or was refused
  RunTimes times;
  int64_t rows = 0;  // dimension 0 of its first output
};

struct DagResult {
  bool timed_out = false;
  Tensors values;  // by number: those the plan keeps, null where nothing made them
  std::vector<DagOpResult> ops;

  bool ok() const;
};

// Called once, on the thread of the op that ended last, or of RunDag() when there was nothing to wait for: quick.
using DagDone = std::function<void(DagResult result)>;

// Runs a plan: every op is started as soon as those it waits for have ended, on the thread that ended the last of them;
// no thread ever waits. Ops that do not depend on each other and have different devices run side by side. After a
// failure nothing more is started, and the answer comes when what is running has ended. With `timeout_ms` > 0 the
// answer comes no later than that: each op is started with the time that is left, and the first that has none ends the
// whole.
void RunDag(DagPlan plan, int64_t timeout_ms, DagDone done);

}  // namespace redoubt::infer
