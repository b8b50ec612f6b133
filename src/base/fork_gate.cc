#include "base/fork_gate.h"

namespace redoubt::base {

void ForkGate::Enter() {
  uint32_t state = state_.load();
  for (;;) {
    if ((state & kClosed) != 0) {
      state_.wait(state);
      state = state_.load();
    } else if (state_.compare_exchange_weak(state, state + 1)) {
      return;
    }
  }
}

void ForkGate::Leave() {
  if (state_.fetch_sub(1) == (kClosed | 1)) state_.notify_all();
}

void ForkGate::Close() {
  closers_.lock();
  state_.fetch_or(kClosed);
  for (uint32_t state = state_.load(); state != kClosed; state = state_.load()) state_.wait(state);
}

void ForkGate::Open() {
  state_.fetch_and(~kClosed);
  state_.notify_all();
  closers_.unlock();
}

}  // namespace redoubt::base
