#include "infer/fair_queue.h"

#include <algorithm>
#include <utility>

namespace redoubt::infer {
void FairQueue::Push(const PendingRun::Ptr& run) {
  Entry& entry = lanes_[LaneOf(run->request)];
  if (entry.lane.empty() && entry.executing == 0) entry.used_us = std::max(entry.used_us, common_us_);
  run->number = next_number_++;
  run->queued = true;
  entry.lane.Push(run);
}

void FairQueue::Remove(const PendingRun::Ptr& run) {
  if (!std::exchange(run->queued, false)) return;
  const void* lane = LaneOf(run->request);
  lanes_.at(lane).lane.Remove(run);
  DropIfIdle(lane);
}

RunGroup FairQueue::TakeAll() {
  RunGroup all;
  for (auto& [model, entry] : lanes_) {
    for (PendingRun::Ptr& run : entry.lane.TakeAll()) {
      run->queued = false;
      all.push_back(std::move(run));
    }
  }
  lanes_.clear();
  return all;
}

FairQueue::Choice FairQueue::Take(int64_t now_us) {
  Choice choice;
  Entry* chosen = nullptr;
  for (auto& [model, entry] : lanes_) {
    if (entry.lane.empty() || (chosen != nullptr && entry.used_us >= chosen->used_us)) continue;
    if (entry.lane.CanRun(now_us, &choice.wake_us)) chosen = &entry;
  }
  if (chosen == nullptr) return choice;
  choice.group = chosen->lane.Take(now_us);
  for (const PendingRun::Ptr& run : choice.group) run->queued = false;
  common_us_ = std::max(common_us_, chosen->used_us);
  choice.charged_us = chosen->expected_us;
  chosen->used_us += choice.charged_us;
  ++chosen->executing;
  return choice;
}

void FairQueue::Finished(const void* lane_of, int64_t charged_us, int64_t run_us) {
  auto it = lanes_.find(lane_of);
  if (it == lanes_.end()) return;  // emptied meanwhile by TakeAll()
  Entry& entry = it->second;
  entry.used_us += run_us - charged_us;
  entry.expected_us = run_us;
  --entry.executing;
  DropIfIdle(lane_of);
}

// A lane with nothing to do is remembered only as long as its model has had more than its share.
void FairQueue::DropIfIdle(const void* lane_of) {
  auto idle = [this](const Entry& entry) {
    return entry.lane.empty() && entry.executing == 0 && entry.used_us <= common_us_;
  };
  constexpr size_t kManyLanes = 64;
  if (auto it = lanes_.find(lane_of); it != lanes_.end() && idle(it->second)) lanes_.erase(it);
  if (lanes_.size() > kManyLanes) std::erase_if(lanes_, [&](const auto& lane) { return idle(lane.second); });
}

}  // namespace redoubt::infer
