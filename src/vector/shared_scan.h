#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/thread_annotations.h"
#include "vector/top_k.h"

namespace redoubt::vector {

// One scan that several threads take parts of. The thread that began it works too, and waits at the end for those
// that came to help; who comes later finds it closed and touches nothing of it.
class SharedScan {
 public:
  explicit SharedScan(size_t parts) : parts_(parts) {}

  // The next part to read; nothing when all are taken or the scan was stopped.
  std::optional<size_t> Next() {
    const size_t part = next_.fetch_add(1, std::memory_order_relaxed);
    return part < parts_ ? std::optional<size_t>(part) : std::nullopt;
  }
  void Stop() { next_.store(parts_, std::memory_order_relaxed); }

  // Of a helper: before it touches what is scanned, and after, with what it found. False: too late.
  bool Enter() {
    std::lock_guard lock(mu_);
    if (closed_) return false;
    ++helpers_;
    return true;
  }
  void Leave(std::vector<Hit> found) {
    {
      std::lock_guard lock(mu_);
      found_.insert(found_.end(), found.begin(), found.end());
      --helpers_;
    }
    left_.notify_all();
  }

  // Of the thread that began it: no helper is at work when this returns what all of them found.
  std::vector<Hit> Close() {
    std::unique_lock lock(mu_);
    closed_ = true;
    left_.wait(lock, [this] { return helpers_ == 0; });
    return std::move(found_);
  }

 private:
  const size_t parts_;
  std::atomic<size_t> next_{0};
  std::mutex mu_;
  std::condition_variable left_;
  size_t helpers_ GUARDED_BY(mu_) = 0;
  bool closed_ GUARDED_BY(mu_) = false;
  std::vector<Hit> found_ GUARDED_BY(mu_);
};

}  // namespace redoubt::vector
