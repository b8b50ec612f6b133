#include "infer/executor.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "infer/device_queue.h"

namespace redoubt::infer {

Executor::Executor(const Options& options)
    : options_(options), max_run_ms_(options.max_run_ms), queue_limit_(options.queue_limit) {}

// Threads that did not end in time still use the queues: StopWithin() has to be called first, and heeded.
Executor::~Executor() { StopWithin(60'000); }

base::Result<DeviceQueue*> Executor::QueueFor(std::string_view device) {
  std::lock_guard lock(mu_);
  if (stopping_) return base::Cancelled("the server is shutting down");
  if (auto it = queues_.find(device); it != queues_.end()) return it->second.get();
  if (queues_.size() >= options_.device_limit) {
    return base::ResourceExhausted(
        fmt::format("ERR Could not initialize queue on device {}: {} devices have one already, which is the limit",
                    device, queues_.size()));
  }
  DeviceQueue::Options options;
  options.device = std::string(device);
  options.threads = std::max<size_t>(options_.threads_per_device, 1);
  options.nice = options_.nice;
  options.memory = options_.memory != nullptr ? options_.memory : &base::DefaultMemory();
  auto queue = std::make_unique<DeviceQueue>(options, timer_, max_run_ms_, queue_limit_);
  return queues_.emplace(options.device, std::move(queue)).first->second.get();
}

base::Status Executor::Submit(std::string_view device, RunRequest request) {
  ASSIGN_OR_RETURN(DeviceQueue * queue, QueueFor(device));
  return queue->Submit(std::move(request));
}

void Executor::SetMaxRunMs(int64_t max_run_ms) {
  std::lock_guard lock(mu_);
  max_run_ms_ = max_run_ms;
  for (auto& [device, queue] : queues_) queue->SetMaxRunMs(max_run_ms);
}

void Executor::SetQueueLimit(size_t queue_limit) {
  std::lock_guard lock(mu_);
  queue_limit_ = queue_limit;
  for (auto& [device, queue] : queues_) queue->SetLimit(queue_limit);
}

std::vector<QueueStats> Executor::Stats() const {
  std::lock_guard lock(mu_);
  std::vector<QueueStats> stats;
  for (const auto& [device, queue] : queues_) stats.push_back(queue->Stats());
  return stats;
}

bool Executor::StopWithin(int64_t timeout_ms) {
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
  }
  // No queue is added any more, so the map needs no lock while its threads end.
  for (auto& [device, queue] : queues_) queue->Cancel();
  const int64_t until_us = SteadyNowUs() + timeout_ms * 1000;
  const auto left_ms = [until_us] { return std::max<int64_t>((until_us - SteadyNowUs()) / 1000, 0); };
  bool all = timer_.StopWithin(timeout_ms);
  for (auto& [device, queue] : queues_) all = queue->JoinWithin(left_ms()) && all;
  return all;
}

}  // namespace redoubt::infer
