#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "infer/lane.h"
#include "infer/pending_run.h"

namespace redoubt::infer {

// Which run of a device comes next. Each model has a lane, in the order of submission; among the lanes that can run,
// the one whose runs have taken the least of the device's time so far goes first (start-time fair queueing, Goyal, Vin
// and Cheng 1996), so that neither many requests for one model nor a slow model starve the others. A lane that was
// empty for a while starts at the common time and gathers no credit. Not safe on several threads by itself.
class FairQueue {
 public:
  void Push(const PendingRun::Ptr& run);
  void Remove(const PendingRun::Ptr& run);
  // Empties it, in no particular order.
  RunGroup TakeAll();

  struct Choice {
    RunGroup group;          // empty when nothing can run yet
    int64_t wake_us = 0;     // then: when a waiting batch will have waited long enough; 0: only a new run changes that
    int64_t charged_us = 0;  // for Finished()
  };
  // Takes the runs of the next execution off the queue; more than one where the model wants batches.
  Choice Take(int64_t now_us);

  // Call once after each execution that Take() gave: what it cost is counted against its lane.
  void Finished(const void* lane, int64_t charged_us, int64_t run_us);

 private:
  struct Entry {
    Lane lane;
    int64_t used_us = 0;      // of the device, on the common time's scale; a run in progress by its expected time
    int64_t expected_us = 0;  // what the last run took
    size_t executing = 0;
  };

  void DropIfIdle(const void* lane);

  // By address: an address that is used again inherits at most a debt.
  std::unordered_map<const void*, Entry> lanes_;
  uint64_t next_number_ = 0;
  int64_t common_us_ = 0;  // used_us of the lane that ran last, when it began
};

}  // namespace redoubt::infer
