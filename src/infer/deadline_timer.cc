#include "infer/deadline_timer.h"

#include <chrono>
#include <limits>

namespace redoubt::infer {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

}  // namespace

int64_t SteadyNowUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

DeadlineTimer::Key DeadlineTimer::Add(int64_t at_us, std::function<void()> callback) {
  bool wake = false;
  Key key;
  {
    std::lock_guard lock(mu_);
    key = {at_us, next_id_++};
    if (stopping_) return key;
    entries_.emplace(key, std::move(callback));
    if (!started_) {
      set_to_us_ = at_us;
      started_ = threads_.Start("ai-timer", 0, [this] { Loop(); });  // else the next one tries again
    } else if (at_us < set_to_us_) {
      set_to_us_ = at_us;
      wake = true;
    }
  }
  if (wake) changed_.notify_one();
  return key;
}

void DeadlineTimer::Remove(const Key& key) {
  std::lock_guard lock(mu_);
  entries_.erase(key);
}

void DeadlineTimer::Loop() {
  std::unique_lock lock(mu_);
  while (!stopping_) {
    // With nothing to wait for it still sleeps to the time it was last set to: the next Add() is mostly for a later
    // one, and would else wake this thread for every short run.
    const int64_t now_us = SteadyNowUs();
    const int64_t next_us = entries_.empty() ? kNever : entries_.begin()->first.first;
    if (next_us > now_us) {
      if (set_to_us_ <= now_us || next_us < set_to_us_) set_to_us_ = next_us;
      if (set_to_us_ == kNever) {
        changed_.wait(lock);
      } else {
        changed_.wait_for(lock, std::chrono::microseconds(set_to_us_ - now_us));
      }
      continue;
    }
    auto first = entries_.begin();
    std::function<void()> callback = std::move(first->second);
    entries_.erase(first);
    lock.unlock();
    callback();
    callback = nullptr;
    lock.lock();
  }
}

bool DeadlineTimer::StopWithin(int64_t timeout_ms) {
  std::map<Key, std::function<void()>> dropped;
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
    dropped.swap(entries_);
  }
  changed_.notify_all();
  return threads_.JoinWithin(timeout_ms);
}

}  // namespace redoubt::infer
