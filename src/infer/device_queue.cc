#include "infer/device_queue.h"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace redoubt::infer {

DeviceQueue::DeviceQueue(const Options& options, DeadlineTimer& timer, int64_t max_run_ms, size_t limit)
    : options_(options), timer_(timer), max_run_ms_(max_run_ms), limit_(limit) {
  counters_.device = options.device;
}

base::Status DeviceQueue::Submit(RunRequest request) {
  auto item = std::make_shared<Item>();
  item->request = std::move(request);
  item->submitted_us = SteadyNowUs();
  item->rows = BatchRows(item->request.inputs);
  const bool built = item->request.model->built();
  {
    std::lock_guard lock(mu_);
    if (stopping_) return base::Cancelled("the server is shutting down");
    if (waiting_ >= limit_) {
      ++counters_.refused;
      return base::ResourceExhausted(
          fmt::format("the queue of {} is full ({} runs wait); try again later or raise ai.queue-limit",
                      options_.device, waiting_));
    }
    if (!started_) {
      started_ = true;
      for (size_t i = 0; i < options_.threads; ++i) {
        threads_.Start(fmt::format("ai-{}-{}", options_.device, i), options_.nice, [this] { Work(); });
      }
    }
    ++waiting_;
    if (!built) {
      std::erase_if(parked_, [](const std::weak_ptr<Item>& parked) { return parked.expired(); });
      parked_.push_back(item);
    }
    if (item->request.timeout_ms > 0) {
      const int64_t at_us = item->submitted_us + item->request.timeout_ms * 1000;
      item->deadline = timer_.Add(at_us, [this, weak = std::weak_ptr<Item>(item)] {
        if (ItemPtr expired = weak.lock()) Expire(expired);
      });
    }
  }
  if (built) {
    Enqueue(item);
  } else {
    item->request.model->WhenBuilt([this, item] { Enqueue(item); });
  }
  return base::OkStatus();
}

void DeviceQueue::Enqueue(const ItemPtr& item) {
  {
    std::lock_guard lock(mu_);
    if (item->answered) return;
    item->place = items_.insert(items_.end(), item);
    item->queued = true;
  }
  work_.notify_one();
}

void DeviceQueue::Expire(const ItemPtr& item) {
  std::shared_ptr<ActiveRun> to_cancel;
  RunDone done;
  {
    std::lock_guard lock(mu_);
    if (item->answered) return;
    item->answered = true;
    done = std::move(item->request.done);
    ++counters_.timeouts;
    if (item->queued) {
      items_.erase(item->place);
      item->queued = false;
    }
    if (item->run == nullptr) {
      --waiting_;
    } else if (--item->run->unanswered == 0) {
      to_cancel = item->run;
    }
  }
  RunTimes times;
  times.queue_us = SteadyNowUs() - item->submitted_us;
  done(base::DeadlineExceeded("the time given to the run is over"), times);
  if (to_cancel != nullptr && to_cancel->handle != nullptr) to_cancel->handle->Cancel();
}

void DeviceQueue::Work() {
  std::unique_lock lock(mu_);
  clockid_t clock;
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) thread_clocks_.push_back(clock);
  while (!stopping_) {
    int64_t wake_us = 0;
    Group group = Take(SteadyNowUs(), &wake_us);
    if (!group.empty()) {
      RunGroup(std::move(group), lock);
    } else if (wake_us == 0) {
      work_.wait(lock);
    } else {
      work_.wait_for(lock, std::chrono::microseconds(std::max<int64_t>(wake_us - SteadyNowUs(), 0)));
    }
  }
}

DeviceQueue::Group DeviceQueue::GatherBatch(std::list<ItemPtr>::iterator head, const Batching& batching, bool* full) {
  Group group = {*head};
  int64_t rows = *(*head)->rows;
  *full = false;
  for (auto it = std::next(head); it != items_.end() && rows < batching.size; ++it) {
    const Item& item = **it;
    if (item.request.model != (*head)->request.model || !item.rows) continue;
    if (!CanJoin((*head)->request.inputs, item.request.inputs)) continue;
    if (rows + *item.rows > batching.size) {
      *full = true;  // never more than batching.size, and those in front do not wait for a better fit
      continue;
    }
    group.push_back(*it);
    rows += *item.rows;
  }
  *full = *full || rows >= batching.size || rows >= batching.min_size;
  return group;
}

DeviceQueue::Group DeviceQueue::Take(int64_t now_us, int64_t* wake_us) {
  Group group;
  for (auto it = items_.begin(); it != items_.end() && group.empty(); ++it) {
    const Item& item = **it;
    const Batching& batching = item.request.model->spec().batching;
    if (batching.size <= 0 || !item.rows) {
      group = {*it};
      break;
    }
    bool full = false;
    Group batch = GatherBatch(it, batching, &full);
    const int64_t due_us = batching.min_timeout_ms > 0 ? item.submitted_us + batching.min_timeout_ms * 1000 : INT64_MAX;
    if (full || due_us <= now_us) {
      group = std::move(batch);
    } else if (due_us != INT64_MAX && (*wake_us == 0 || due_us < *wake_us)) {
      *wake_us = due_us;
    }
  }
  for (const ItemPtr& item : group) {
    items_.erase(item->place);
    item->queued = false;
    --waiting_;
  }
  return group;
}

base::Result<Tensors> DeviceQueue::Execute(const Model& model, const Group& group, const ActiveRun& run) const {
  if (group.size() == 1) return model.Run(group.front()->request.inputs, {run.handle.get()});
  std::vector<const Tensors*> inputs;
  for (const ItemPtr& item : group) inputs.push_back(&item->request.inputs);
  ASSIGN_OR_RETURN(Tensors joined, Concatenate(inputs, *options_.memory));
  return model.Run(joined, {run.handle.get()});
}

void DeviceQueue::RunGroup(Group group, std::unique_lock<std::mutex>& lock) {
  auto run = std::make_shared<ActiveRun>();
  run->unanswered = group.size();
  for (const ItemPtr& item : group) item->run = run;
  auto active = active_.insert(active_.end(), run);
  base::Result<std::shared_ptr<Model>> model = group.front()->request.model->Get();
  if (model.ok()) {
    base::Result<std::shared_ptr<RunHandle>> handle = RunHandle::Create((*model)->backend());
    if (handle.ok()) run->handle = *handle;
  }
  lock.unlock();

  const int64_t started_us = SteadyNowUs();
  base::Result<Tensors> outputs = model.status().ok() ? base::Result<Tensors>(Tensors{}) : model.status();
  if (model.ok()) {
    std::optional<DeadlineTimer::Key> limit;
    if (const int64_t max_run_ms = max_run_ms_; max_run_ms > 0 && run->handle != nullptr) {
      limit = timer_.Add(started_us + max_run_ms * 1000, [handle = run->handle] { handle->Cancel(); });
    }
    outputs = Execute(**model, group, *run);
    if (limit) timer_.Remove(*limit);
  }
  RunTimes times;
  times.run_us = SteadyNowUs() - started_us;
  for (const ItemPtr& item : group) times.batch_rows += item->rows.value_or(1);

  lock.lock();
  active_.erase(active);
  ++counters_.runs;
  Answer(group, outputs, times, started_us, lock);
}

void DeviceQueue::Answer(const Group& group, const base::Result<Tensors>& outputs, RunTimes times, int64_t started_us,
                         std::unique_lock<std::mutex>& lock) {
  std::vector<RunDone> done(group.size());  // null where the deadline answered
  for (size_t i = 0; i < group.size(); ++i) {
    if (std::exchange(group[i]->answered, true)) continue;
    done[i] = std::move(group[i]->request.done);
    ++counters_.requests;
  }
  lock.unlock();
  int64_t begin = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    Item& item = *group[i];
    const int64_t rows = item.rows.value_or(0);
    if (item.deadline) timer_.Remove(*item.deadline);
    if (done[i]) {
      times.queue_us = started_us - item.submitted_us;
      if (!outputs.ok() || group.size() == 1) {
        done[i](outputs, times);
      } else {
        done[i](SliceRows(*outputs, begin, rows, times.batch_rows, *options_.memory), times);
      }
    }
    begin += rows;
  }
  lock.lock();
}

QueueStats DeviceQueue::Stats() const {
  std::lock_guard lock(mu_);
  QueueStats stats = counters_;
  stats.waiting = waiting_;
  stats.running = active_.size();
  for (clockid_t clock : thread_clocks_) {
    timespec used{};
    clock_gettime(clock, &used);
    stats.thread_cpu_seconds.push_back(static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9);
  }
  return stats;
}

void DeviceQueue::Cancel() {
  Group dropped;
  std::vector<RunDone> done;
  std::vector<std::shared_ptr<ActiveRun>> running;
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
    for (const ItemPtr& item : items_) dropped.push_back(item);
    for (const std::weak_ptr<Item>& weak : parked_) {
      ItemPtr item = weak.lock();
      if (item != nullptr && item->run == nullptr && !item->queued && !item->answered) dropped.push_back(item);
    }
    for (const ItemPtr& item : dropped) {
      item->answered = true;
      done.push_back(std::move(item->request.done));
    }
    items_.clear();
    waiting_ = 0;
    running.assign(active_.begin(), active_.end());
  }
  work_.notify_all();
  for (const std::shared_ptr<ActiveRun>& run : running) {
    if (run->handle != nullptr) run->handle->Cancel();
  }
  for (const RunDone& answer : done) answer(base::Cancelled("the server is shutting down"), RunTimes{});
}

}  // namespace redoubt::infer
