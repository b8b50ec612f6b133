#include "infer/device_queue.h"

#include <fmt/core.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

namespace redoubt::infer {

DeviceQueue::DeviceQueue(const Options& options, DeadlineTimer& timer, int64_t max_run_ms, size_t limit)
    : options_(options), timer_(timer), max_run_ms_(max_run_ms), limit_(limit) {
  counters_.device = options.device;
}

base::Status DeviceQueue::Submit(RunRequest request) {
  auto run = std::make_shared<PendingRun>();
  run->request = std::move(request);
  run->submitted_us = SteadyNowUs();
  run->rows = BatchRows(run->request.inputs);
  const std::shared_ptr<Job> job = run->request.job;
  const bool ready = job != nullptr ? job->ready() : run->request.model->built();
  {
    std::lock_guard lock(mu_);
    if (stopping_) return base::Cancelled("the server is shutting down");
    if (waiting_ >= limit_) {
      ++counters_.refused;
      return base::ResourceExhausted(
          fmt::format("the queue of {} is full ({} runs wait); try again later or raise ai.queue-limit",
                      options_.device, waiting_));
    }
    while (started_ < options_.threads &&
           threads_.Start(fmt::format("ai-{}-{}", options_.device, started_), options_.nice, [this] { Work(); })) {
      ++started_;
    }
    if (started_ == 0) {
      return base::ResourceExhausted(
          fmt::format("ERR Could not initialize queue on device {}: the system gives no thread", options_.device));
    }
    ++waiting_;
    if (!ready) {
      std::erase_if(parked_, [](const std::weak_ptr<PendingRun>& parked) { return parked.expired(); });
      parked_.push_back(run);
    }
    if (run->request.timeout_ms > 0) {
      const int64_t at_us = run->submitted_us + run->request.timeout_ms * 1000;
      run->deadline = timer_.Add(at_us, [this, weak = std::weak_ptr<PendingRun>(run)] {
        if (PendingRun::Ptr expired = weak.lock()) Expire(expired);
      });
    }
  }
  if (ready) {
    Enqueue(run);
  } else if (job != nullptr) {
    job->WhenReady([this, run] { Enqueue(run); });
  } else {
    run->request.model->WhenBuilt([this, run] { Enqueue(run); });
  }
  return base::OkStatus();
}

void DeviceQueue::Enqueue(const PendingRun::Ptr& run) {
  bool wake = false;
  {
    std::lock_guard lock(mu_);
    if (run->answered) return;
    queue_.Push(run);
    if (idle_ > 0) {
      --idle_;
      wake = true;
    }
  }
  if (wake) wake_up_.Post();
}

void DeviceQueue::Expire(const PendingRun::Ptr& run) {
  std::shared_ptr<ActiveRun> to_cancel;
  RunDone done;
  {
    std::lock_guard lock(mu_);
    if (run->answered) return;
    run->answered = true;
    done = std::move(run->request.done);
    ++counters_.timeouts;
    queue_.Remove(run);
    if (run->active == nullptr) {
      --waiting_;
    } else if (--run->active->unanswered == 0) {
      to_cancel = run->active;
    }
  }
  RunTimes times;
  times.queue_us = SteadyNowUs() - run->submitted_us;
  done(base::DeadlineExceeded("the time given to the run is over"), times);
  if (to_cancel != nullptr) to_cancel->Cancel();
}

void DeviceQueue::GiveUp(const RunGroup& group, int64_t max_run_ms) {
  std::vector<RunDone> done;
  {
    std::lock_guard lock(mu_);
    for (const PendingRun::Ptr& run : group) {
      if (std::exchange(run->answered, true)) continue;
      done.push_back(std::move(run->request.done));
      --run->active->unanswered;
    }
    counters_.timeouts += done.size();
  }
  RunTimes times;
  times.run_us = max_run_ms * 1000;
  const base::Status status = base::FailedPrecondition(fmt::format(
      "the run was given up after {} ms (ai.model-execution-timeout); it cannot be stopped, and {} stays busy "
      "until it ends",
      max_run_ms, options_.device));
  for (const RunDone& answer : done) answer(status, times);
}

void DeviceQueue::Work() {
  std::unique_lock lock(mu_);
  clockid_t clock;
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) thread_clocks_.push_back(clock);
  while (!stopping_) {
    const FairQueue::Choice choice = queue_.Take(SteadyNowUs());
    if (choice.group.empty()) {
      Sleep(choice.wake_us, lock);
    } else {
      Execute(choice, lock);
    }
  }
}

void DeviceQueue::Sleep(int64_t wake_us, std::unique_lock<std::mutex>& lock) {
  ++idle_;
  lock.unlock();
  bool posted = true;
  if (wake_us == 0) {
    wake_up_.Wait();
  } else {
    posted = wake_up_.WaitUntil(wake_us);
  }
  lock.lock();
  if (posted) return;
  if (idle_ > 0) {
    --idle_;
  } else {
    wake_up_.Wait();  // every sleeper has been posted, so one of the posts is for this thread
  }
}

int64_t DeviceQueue::LimitMs(const RunGroup& group, int64_t now_us) const {
  int64_t last_us = 0;
  for (const PendingRun::Ptr& run : group) {
    if (!run->deadline) return max_run_ms_;
    last_us = std::max(last_us, run->deadline->first);
  }
  // The timer answers at the deadline; the run ends a little later, so as not to answer before it with another error.
  constexpr int64_t kGraceMs = 50;
  const int64_t left_ms = std::max<int64_t>((last_us - now_us) / 1000, 0) + kGraceMs;
  return max_run_ms_ > 0 ? std::min<int64_t>(left_ms, max_run_ms_) : left_ms;
}

std::function<base::Result<Tensors>()> DeviceQueue::Prepare(const RunGroup& group, ActiveRun& active) const {
  const RunRequest& request = group.front()->request;
  if (request.job != nullptr) {
    active.job = request.job;
    return [job = request.job, limit_ms = LimitMs(group, SteadyNowUs())] { return job->Run(limit_ms); };
  }
  base::Result<std::shared_ptr<Model>> model = request.model->Get();
  if (!model.ok()) return [status = model.status()] { return base::Result<Tensors>(status); };
  base::Result<std::shared_ptr<RunHandle>> handle = RunHandle::Create((*model)->backend());
  if (handle.ok()) {
    active.handle = *handle;
    active.handle->Limit(LimitMs(group, SteadyNowUs()));
  }
  return [this, model = *model, &group, &active] { return RunModel(*model, group, active); };
}

void DeviceQueue::Execute(const FairQueue::Choice& choice, std::unique_lock<std::mutex>& lock) {
  const RunGroup& group = choice.group;
  auto run = std::make_shared<ActiveRun>();
  run->unanswered = group.size();
  waiting_ -= group.size();
  for (const PendingRun::Ptr& one : group) one->active = run;
  const std::function<base::Result<Tensors>()> execute = Prepare(group, *run);
  auto active = active_.insert(active_.end(), run);
  lock.unlock();

  const int64_t started_us = SteadyNowUs();
  std::optional<DeadlineTimer::Key> limit;
  if (const int64_t max_run_ms = max_run_ms_; max_run_ms > 0) {
    limit = timer_.Add(started_us + max_run_ms * 1000, [this, run, group, max_run_ms] {
      run->Cancel();
      if (!run->can_stop()) GiveUp(group, max_run_ms);
    });
  }
  const base::Result<Tensors> outputs = execute();
  if (limit) timer_.Remove(*limit);
  RunTimes times;
  times.run_us = SteadyNowUs() - started_us;
  for (const PendingRun::Ptr& one : group) times.batch_rows += one->rows.value_or(1);

  lock.lock();
  active_.erase(active);
  queue_.Finished(LaneOf(group.front()->request), choice.charged_us, times.run_us);
  ++counters_.runs;
  if (run->unanswered == 0) ++counters_.discarded;
  Answer(group, outputs, times, started_us, lock);
}

base::Result<Tensors> DeviceQueue::RunModel(const Model& model, const RunGroup& group, const ActiveRun& active) const {
  if (group.size() == 1) return model.Run(group.front()->request.inputs, {active.handle.get()});
  std::vector<const Tensors*> inputs;
  for (const PendingRun::Ptr& run : group) inputs.push_back(&run->request.inputs);
  ASSIGN_OR_RETURN(Tensors joined, Concatenate(inputs, *options_.memory));
  return model.Run(joined, {active.handle.get()});
}

void DeviceQueue::Answer(const RunGroup& group, const base::Result<Tensors>& outputs, RunTimes times,
                         int64_t started_us, std::unique_lock<std::mutex>& lock) {
  std::vector<RunDone> done(group.size());  // null where the deadline answered
  for (size_t i = 0; i < group.size(); ++i) {
    if (std::exchange(group[i]->answered, true)) continue;
    done[i] = std::move(group[i]->request.done);
    ++counters_.requests;
  }
  lock.unlock();
  int64_t begin = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    PendingRun& run = *group[i];
    const int64_t rows = run.rows.value_or(0);
    if (run.deadline) timer_.Remove(*run.deadline);
    if (done[i]) {
      times.queue_us = started_us - run.submitted_us;
      if (!outputs.ok() || group.size() == 1) {
        done[i](outputs, times);
      } else {
        const std::string& backend = run.request.model->spec().backend;
        done[i](SliceRows(*outputs, begin, rows, times.batch_rows, backend, *options_.memory), times);
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
  RunGroup dropped;
  std::vector<RunDone> done;
  std::vector<std::shared_ptr<ActiveRun>> running;
  size_t sleeping = 0;
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
    dropped = queue_.TakeAll();
    for (const std::weak_ptr<PendingRun>& weak : parked_) {
      PendingRun::Ptr run = weak.lock();
      if (run != nullptr && run->active == nullptr && !run->answered) dropped.push_back(run);
    }
    for (const PendingRun::Ptr& run : dropped) {
      if (std::exchange(run->answered, true)) continue;
      done.push_back(std::move(run->request.done));
    }
    waiting_ = 0;
    running.assign(active_.begin(), active_.end());
    sleeping = std::exchange(idle_, 0);
  }
  for (size_t i = 0; i < sleeping; ++i) wake_up_.Post();
  for (const std::shared_ptr<ActiveRun>& run : running) run->Cancel();
  for (const RunDone& answer : done) answer(base::Cancelled("the server is shutting down"), RunTimes{});
}

}  // namespace redoubt::infer
