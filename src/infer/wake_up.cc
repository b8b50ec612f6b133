#include "infer/wake_up.h"

#include <cerrno>
#include <ctime>

namespace redoubt::infer {

void WakeUp::Wait() {
  while (sem_wait(&semaphore_) != 0 && errno == EINTR) {
  }
}

bool WakeUp::WaitUntil(int64_t at_us) {
  const timespec at = {static_cast<time_t>(at_us / 1'000'000), static_cast<long>(at_us % 1'000'000 * 1000)};
  int failed = 0;
  while ((failed = sem_clockwait(&semaphore_, CLOCK_MONOTONIC, &at)) != 0 && errno == EINTR) {
  }
  return failed == 0;
}

}  // namespace redoubt::infer
