#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "base/status.h"
#include "base/thread_annotations.h"

namespace redoubt::host {

// Any thread: `call` runs on the main thread between two commands, never inside a slow script of the server or while it
// loads its data; keys may be read there. It must not throw.
void RunOnMainThread(std::function<void()> call);

// Lets one other thread run functions on the server's main thread and wait for each of them.
class MainThreadCaller : public std::enable_shared_from_this<MainThreadCaller> {
 public:
  static std::shared_ptr<MainThreadCaller> Create() { return std::make_shared<MainThreadCaller>(); }

  // On the other thread. `call` runs between two commands, never inside a slow script of the server or while it loads
  // its data. Cancelled when Cancel() came first: then `call` does not run. `call` must not throw.
  base::Status Run(std::function<void()> call);

  // Any thread: a call that waits, and all later ones, fail. The main thread itself may be the one that waits for the
  // other thread to end, so it must call this first.
  void Cancel();
  bool cancelled() const;

 private:
  enum class State { kIdle, kWaiting, kRunning, kDone };

  void Serve();

  mutable std::mutex mu_;
  std::condition_variable changed_;
  State state_ GUARDED_BY(mu_) = State::kIdle;
  bool cancelled_ GUARDED_BY(mu_) = false;
  std::function<void()> call_ GUARDED_BY(mu_);
};

}  // namespace redoubt::host
