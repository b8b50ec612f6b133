#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/thread_annotations.h"

namespace redoubt::infer {

// A T that is there at once and built from its Spec a little later, on another thread. Safe on many threads.
template <class Spec, class T>
class BuiltLater {
 public:
  // `not_yet` is the error of Get() while it is being built.
  BuiltLater(Spec spec, std::string not_yet)
      : spec_(std::move(spec)), result_(base::FailedPrecondition(std::move(not_yet))) {}

  const Spec& spec() const { return spec_; }

  // FailedPrecondition while it is being built; the build's error when that failed.
  base::Result<std::shared_ptr<T>> Get() const {
    std::lock_guard lock(mu_);
    return result_;
  }

  bool built() const {
    std::lock_guard lock(mu_);
    return built_;
  }

  // Calls `callback` when the build has ended, well or badly: at once on this thread, or later on the builder's.
  void WhenBuilt(std::function<void()> callback) {
    {
      std::lock_guard lock(mu_);
      if (!built_) {
        waiting_.push_back(std::move(callback));
        return;
      }
    }
    callback();
  }

  // By the builder, or by whoever gives it up: the first counts. False when it was built already.
  bool Finish(base::Result<std::shared_ptr<T>> result) {
    std::vector<std::function<void()>> waiting;
    {
      std::lock_guard lock(mu_);
      if (built_) return false;
      result_ = std::move(result);
      built_ = true;
      waiting.swap(waiting_);
    }
    for (const std::function<void()>& callback : waiting) callback();
    return true;
  }

 private:
  const Spec spec_;
  mutable std::mutex mu_;
  bool built_ GUARDED_BY(mu_) = false;
  base::Result<std::shared_ptr<T>> result_ GUARDED_BY(mu_);
  std::vector<std::function<void()>> waiting_ GUARDED_BY(mu_);
};

}  // namespace redoubt::infer
