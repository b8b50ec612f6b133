#include "module/host/main_thread.h"

#include <utility>

#include "module/host/api.h"
#include "module/host/blocked_client.h"

namespace redoubt::host {
namespace {

base::Status Stopped() { return base::Cancelled("nobody waits for this run any more"); }

using Call = std::function<void()>;

void OnTimer(RedisModuleCtx* /*ctx*/, void* data) { (*std::unique_ptr<Call>(static_cast<Call*>(data)))(); }

// Comes also while the server lets clients in on a script that takes long, or while it loads: only timers do not. And
// only what happens inside of a timer (or a command), such as the expiry of a key that is read, is sent to replicas at
// its end; Redis would otherwise keep it until something else asserts that there is nothing left to send.
void OnEventLoop(void* data) { RedisModule_CreateTimer(EffectsContext::raw(), 0, &OnTimer, data); }

}  // namespace

void RunOnMainThread(std::function<void()> call) {
  RedisModule_EventLoopAddOneShot(&OnEventLoop, new Call(std::move(call)));
}

base::Status MainThreadCaller::Run(std::function<void()> call) {
  {
    std::lock_guard lock(mu_);
    if (cancelled_) return Stopped();
    state_ = State::kWaiting;
    call_ = std::move(call);
  }
  RunOnMainThread([self = shared_from_this()] { self->Serve(); });
  std::unique_lock lock(mu_);
  changed_.wait(lock, [this] { return state_ == State::kDone || (state_ == State::kWaiting && cancelled_); });
  const bool done = std::exchange(state_, State::kIdle) == State::kDone;
  call_ = nullptr;
  return done ? base::OkStatus() : Stopped();
}

void MainThreadCaller::Cancel() {
  {
    std::lock_guard lock(mu_);
    cancelled_ = true;
  }
  changed_.notify_all();
}

bool MainThreadCaller::cancelled() const {
  std::lock_guard lock(mu_);
  return cancelled_;
}

void MainThreadCaller::Serve() {
  std::function<void()> call;
  {
    std::lock_guard lock(mu_);
    if (state_ != State::kWaiting) return;  // cancelled meanwhile
    state_ = State::kRunning;
    call.swap(call_);
  }
  call();
  {
    std::lock_guard lock(mu_);
    state_ = State::kDone;
  }
  changed_.notify_all();
}

}  // namespace redoubt::host
