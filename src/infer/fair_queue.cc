#include "infer/fair_queue.h"

#include <algorithm>
#include <utility>

#include "infer/batch.h"

namespace redoubt::infer {
namespace {

using Runs = std::list<PendingRun::Ptr>;

// The runs that can join the one at `head`, itself in front; `full`: no reason to wait for more.
RunGroup JoinableRuns(const Runs& waiting, Runs::const_iterator head, const Batching& batching, bool* full) {
  RunGroup group = {*head};
  int64_t rows = *(*head)->rows;
  *full = false;
  for (auto it = std::next(head); it != waiting.end() && rows < batching.size; ++it) {
    const PendingRun& run = **it;
    if (!run.rows || !CanJoin((*head)->request.inputs, run.request.inputs)) continue;
    if (rows + *run.rows > batching.size) {
      *full = true;  // never more than batching.size, and those in front do not wait for a better fit
      continue;
    }
    group.push_back(*it);
    rows += *run.rows;
  }
  *full = *full || rows >= batching.size || rows >= batching.min_size;
  return group;
}

}  // namespace

void FairQueue::Push(const PendingRun::Ptr& run) {
  Lane& lane = lanes_[LaneOf(run->request)];
  if (lane.waiting.empty() && lane.executing == 0) lane.used_us = std::max(lane.used_us, common_us_);
  run->place = lane.waiting.insert(lane.waiting.end(), run);
  run->queued = true;
}

void FairQueue::Remove(const PendingRun::Ptr& run) {
  if (!std::exchange(run->queued, false)) return;
  const void* lane = LaneOf(run->request);
  lanes_.at(lane).waiting.erase(run->place);
  DropIfIdle(lane);
}

RunGroup FairQueue::TakeAll() {
  RunGroup all;
  for (auto& [model, lane] : lanes_) {
    for (const PendingRun::Ptr& run : lane.waiting) {
      run->queued = false;
      all.push_back(run);
    }
  }
  lanes_.clear();
  return all;
}

RunGroup FairQueue::Gather(const Lane& lane, int64_t now_us, int64_t* wake_us) {
  if (lane.waiting.front()->request.job != nullptr) return {lane.waiting.front()};
  const Batching& batching = lane.waiting.front()->request.model->spec().batching;
  if (batching.size <= 0) return {lane.waiting.front()};
  // Runs of other shapes do not wait behind a batch that is not full yet.
  std::vector<const Tensors*> unfilled;
  for (auto head = lane.waiting.begin(); head != lane.waiting.end(); ++head) {
    const PendingRun& run = **head;
    if (!run.rows) return {*head};
    const auto joins = [&run](const Tensors* inputs) { return CanJoin(*inputs, run.request.inputs); };
    if (std::any_of(unfilled.begin(), unfilled.end(), joins)) continue;
    bool full = false;
    RunGroup group = JoinableRuns(lane.waiting, head, batching, &full);
    const int64_t due_us = run.submitted_us + batching.min_timeout_ms * 1000;
    if (full || (batching.min_timeout_ms > 0 && due_us <= now_us)) return group;
    if (batching.min_timeout_ms > 0 && (*wake_us == 0 || due_us < *wake_us)) *wake_us = due_us;
    unfilled.push_back(&run.request.inputs);
  }
  return {};
}

FairQueue::Choice FairQueue::Take(int64_t now_us) {
  Choice choice;
  Lane* chosen = nullptr;
  for (auto& [model, lane] : lanes_) {
    if (lane.waiting.empty() || (chosen != nullptr && lane.used_us >= chosen->used_us)) continue;
    RunGroup group = Gather(lane, now_us, &choice.wake_us);
    if (group.empty()) continue;
    choice.group = std::move(group);
    chosen = &lane;
  }
  if (chosen == nullptr) return choice;
  for (const PendingRun::Ptr& run : choice.group) {
    chosen->waiting.erase(run->place);
    run->queued = false;
  }
  common_us_ = std::max(common_us_, chosen->used_us);
  choice.charged_us = chosen->expected_us;
  chosen->used_us += choice.charged_us;
  ++chosen->executing;
  return choice;
}

void FairQueue::Finished(const void* lane_of, int64_t charged_us, int64_t run_us) {
  auto it = lanes_.find(lane_of);
  if (it == lanes_.end()) return;  // emptied meanwhile by TakeAll()
  Lane& lane = it->second;
  lane.used_us += run_us - charged_us;
  lane.expected_us = run_us;
  --lane.executing;
  DropIfIdle(lane_of);
}

// A lane with nothing to do is remembered only as long as its model has had more than its share.
void FairQueue::DropIfIdle(const void* lane_of) {
  auto idle = [this](const Lane& lane) {
    return lane.waiting.empty() && lane.executing == 0 && lane.used_us <= common_us_;
  };
  constexpr size_t kManyLanes = 64;
  if (auto it = lanes_.find(lane_of); it != lanes_.end() && idle(it->second)) lanes_.erase(it);
  if (lanes_.size() > kManyLanes) std::erase_if(lanes_, [&](const auto& entry) { return idle(entry.second); });
}

}  // namespace redoubt::infer
