#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "infer/deadline_timer.h"
#include "infer/executor.h"

namespace redoubt::infer {

// One execution of a model for one or more runs.
struct ActiveRun {
  std::shared_ptr<RunHandle> handle;
  size_t unanswered = 0;
};

// One submitted run; a part of DeviceQueue, whose lock guards its fields.
struct PendingRun {
  using Ptr = std::shared_ptr<PendingRun>;

  RunRequest request;
  int64_t submitted_us = 0;
  std::optional<int64_t> rows;  // see BatchRows()
  std::optional<DeadlineTimer::Key> deadline;
  bool answered = false;
  bool queued = false;                // in a FairQueue, at `place`
  std::list<Ptr>::iterator place;     // of its lane
  std::shared_ptr<ActiveRun> active;  // once it has begun
};

// Runs that are executed together.
using RunGroup = std::vector<PendingRun::Ptr>;

}  // namespace redoubt::infer
