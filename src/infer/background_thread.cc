#include "infer/background_thread.h"

#include <optional>
#include <utility>

namespace redoubt::infer {

BackgroundThread::BackgroundThread(Options options)
    : options_(std::move(options)), task_limit_ms_(options_.task_limit_ms) {}

void BackgroundThread::SetTaskLimit(int64_t limit_ms) {
  std::lock_guard lock(mu_);
  task_limit_ms_ = limit_ms;
}

bool BackgroundThread::StartThread() {
  return threads_.Start(options_.name, options_.nice, [this, generation = generation_] { Loop(generation); });
}

void BackgroundThread::Run(std::function<void()> task, std::function<void(int64_t limit_ms)> given_up) {
  bool queued = false;
  {
    std::lock_guard lock(mu_);
    if (stopping_) return;  // the process is about to end; what the task would free goes with it
    if (!started_) started_ = StartThread();
    if (started_) tasks_.push_back({task, std::move(given_up)});
    queued = started_;
  }
  if (queued) {
    work_.notify_all();  // a thread that was given up may wait there too
  } else {
    task();  // the system gives no thread: rather slowly here than never
  }
}

void BackgroundThread::Loop(uint64_t generation) {
  std::unique_lock lock(mu_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || generation != generation_ || !tasks_.empty(); });
    if (stopping_ || generation != generation_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    const int64_t limit_ms = task_limit_ms_;
    const uint64_t number = ++task_number_;
    task_runs_ = true;
    lock.unlock();
    std::optional<DeadlineTimer::Key> limit;
    if (limit_ms > 0) {
      limit = timer_.Add(SteadyNowUs() + limit_ms * 1000,
                         [this, number, given_up = task.given_up, limit_ms] { GiveUp(number, given_up, limit_ms); });
    }
    task.run();
    if (limit) timer_.Remove(*limit);
    task = {};  // what it holds is released without the lock
    lock.lock();
    if (number == task_number_) task_runs_ = false;
  }
}

void BackgroundThread::GiveUp(uint64_t task_number, const std::function<void(int64_t limit_ms)>& given_up,
                              int64_t limit_ms) {
  {
    std::lock_guard lock(mu_);
    // The task may have ended when its time had just come.
    if (stopping_ || task_number != task_number_ || !task_runs_) return;
    task_runs_ = false;
    ++generation_;
    started_ = StartThread();
  }
  options_.logger.Warning("{}: a task takes longer than {} ms and keeps its thread, another goes on", options_.name,
                          limit_ms);
  if (given_up) given_up(limit_ms);
}

bool BackgroundThread::StopWithin(int64_t timeout_ms) {
  std::deque<Task> dropped;
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
    dropped.swap(tasks_);
  }
  work_.notify_all();
  const bool timer_ended = timer_.StopWithin(timeout_ms);
  return threads_.JoinWithin(timeout_ms) && timer_ended;
}

}  // namespace redoubt::infer
