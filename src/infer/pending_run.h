#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "infer/deadline_timer.h"
#include "infer/executor.h"

namespace redoubt::infer {

// What shares a device's time as one: a model, or a script.
inline const void* LaneOf(const RunRequest& request) {
  return request.job != nullptr ? request.job->lane() : request.model.get();
}

// One execution of a model for one or more runs, or of a job.
struct ActiveRun {
  std::shared_ptr<RunHandle> handle;
  std::shared_ptr<Job> job;
  size_t unanswered = 0;

  void Cancel() const {
    if (handle != nullptr) handle->Cancel();
    if (job != nullptr) job->Cancel();
  }
  // Whether Cancel() or a limit given beforehand ends the execution.
  bool can_stop() const { return handle != nullptr && handle->can_stop(); }
};

// One submitted run; a part of DeviceQueue, whose lock guards its fields.
struct PendingRun {
  using Ptr = std::shared_ptr<PendingRun>;

  RunRequest request;
  int64_t submitted_us = 0;
  std::optional<int64_t> rows;  // see BatchRows()
  std::optional<DeadlineTimer::Key> deadline;
  bool answered = false;
  bool queued = false;                // in a FairQueue: the next two
  uint64_t number = 0;                // in the order of submission
  std::list<Ptr>::iterator place;     // among its likes in its Lane
  std::shared_ptr<ActiveRun> active;  // once it has begun
};

// Runs that are executed together.
using RunGroup = std::vector<PendingRun::Ptr>;

}  // namespace redoubt::infer
