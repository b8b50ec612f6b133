#include "server/monitor/poll_schedule.h"

#include <algorithm>
#include <chrono>

namespace redoubt::monitor {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kBaseThreads = 2;
constexpr int64_t kPatienceUs = 100'000;  // a ready job waits this long before a thread is started for it
constexpr auto kIdleLife = std::chrono::seconds(30);

int64_t NowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now().time_since_epoch()).count();
}

SteadyClock::time_point At(int64_t us) { return SteadyClock::time_point(std::chrono::microseconds(us)); }

}  // namespace

PollSchedule::PollSchedule(size_t max_threads) : max_threads_(std::max(max_threads, kBaseThreads)) {
  std::lock_guard lock(mu_);
  for (size_t i = 0; i < kBaseThreads; ++i) StartThread();
  dispatcher_ = std::thread([this] { Dispatch(); });
}

PollSchedule::~PollSchedule() { Stop(); }

void PollSchedule::Stop() {
  std::vector<std::thread> workers;
  {
    std::lock_guard lock(mu_);
    if (stopping_) return;
    stopping_ = true;
    workers.swap(workers_);
  }
  due_changed_.notify_all();
  work_.notify_all();
  dispatcher_.join();
  for (std::thread& worker : workers) {
    if (worker.joinable()) worker.join();
  }
  finished_.notify_all();
}

size_t PollSchedule::threads() const {
  std::lock_guard lock(mu_);
  return live_;
}

void PollSchedule::StartThread() {
  size_t slot = workers_.size();
  if (!ended_.empty()) {
    slot = ended_.back();
    ended_.pop_back();
    workers_[slot].join();  // it has left the lock for good
  } else {
    workers_.emplace_back();
  }
  ++live_;
  workers_[slot] = std::thread([this, slot] { Work(slot); });
}

void PollSchedule::Schedule(const std::string& name, Entry& entry, int64_t due_us) {
  due_.erase({entry.due_us, name});
  entry.due_us = due_us;
  due_.insert({due_us, name});
  due_changed_.notify_one();
}

void PollSchedule::Add(const std::string& name, int delay_ms, Job job) {
  std::lock_guard lock(mu_);
  Entry& entry = entries_[name];
  entry.job = std::move(job);
  entry.generation = next_generation_++;
  // A run in progress of the replaced job reschedules the new one when it ends.
  if (!entry.running && !entry.queued) Schedule(name, entry, NowUs() + int64_t{delay_ms} * 1000);
}

void PollSchedule::Remove(const std::string& name) {
  std::unique_lock lock(mu_);
  auto found = entries_.find(name);
  if (found == entries_.end()) return;
  uint64_t generation = found->second.generation;
  due_.erase({found->second.due_us, name});
  std::erase_if(ready_, [&](const Due& ready) { return ready.name == name; });
  found->second.queued = false;
  found->second.job = nullptr;
  finished_.wait(lock, [&] {
    auto entry = entries_.find(name);
    return entry == entries_.end() || !entry->second.running || entry->second.generation != generation || stopping_;
  });
  auto entry = entries_.find(name);
  if (entry != entries_.end() && entry->second.generation == generation && !entry->second.running) {
    entries_.erase(entry);
  }
}

void PollSchedule::Dispatch() {
  std::unique_lock lock(mu_);
  while (!stopping_) {
    int64_t now_us = NowUs();
    while (!due_.empty() && due_.begin()->due_us <= now_us) {
      std::string name = due_.begin()->name;
      due_.erase(due_.begin());
      entries_[name].queued = true;
      ready_.push_back({now_us, std::move(name)});
      work_.notify_one();
    }
    int64_t wake_us = due_.empty() ? now_us + 3'600'000'000 : due_.begin()->due_us;
    if (!ready_.empty() && live_ < max_threads_) {
      int64_t patience_ends_us = ready_.front().due_us + kPatienceUs;
      if (patience_ends_us <= now_us && idle_ == 0) {
        // Whatever holds the others up, each that waits gets a thread of its own.
        for (size_t i = std::min(ready_.size(), max_threads_ - live_); i > 0; --i) StartThread();
      }
      wake_us = std::min(wake_us, std::max(patience_ends_us, now_us + kPatienceUs / 4));
    }
    due_changed_.wait_until(lock, At(wake_us));
  }
}

void PollSchedule::Work(size_t slot) {
  std::unique_lock lock(mu_);
  for (;;) {
    ++idle_;
    bool woken = work_.wait_for(lock, kIdleLife, [this] { return stopping_ || !ready_.empty(); });
    --idle_;
    if (stopping_ || (!woken && live_ > kBaseThreads)) break;
    if (!woken) continue;
    std::string name = std::move(ready_.front().name);
    ready_.pop_front();
    Entry& entry = entries_[name];
    entry.queued = false;
    entry.running = true;
    Job job = entry.job;
    uint64_t generation = entry.generation;
    int64_t began_us = NowUs();
    lock.unlock();
    int pause_ms = job();
    job = nullptr;  // what it holds may be destroyed; not under our lock
    lock.lock();
    auto found = entries_.find(name);
    found->second.running = false;
    if (found->second.job != nullptr) {
      bool replaced = found->second.generation != generation;
      int64_t next_us = replaced ? NowUs() : std::max(NowUs() + 1000, began_us + int64_t{pause_ms} * 1000);
      Schedule(name, found->second, next_us);
    }
    finished_.notify_all();
  }
  --live_;
  if (!stopping_) ended_.push_back(slot);
}

}  // namespace redoubt::monitor
