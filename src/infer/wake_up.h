#pragma once

#include <semaphore.h>

#include <cstdint>

namespace redoubt::infer {

// What idle workers sleep on: a POSIX semaphore. A condition variable would take its lock again before it returns, in
// the state "contended", so that the next unlock costs a system call although nobody waits: a fifth of what running a
// small model costs beyond the model.
class WakeUp {
 public:
  WakeUp() { sem_init(&semaphore_, 0, 0); }
  ~WakeUp() { sem_destroy(&semaphore_); }
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void Post() { sem_post(&semaphore_); }
  void Wait();
  // False when nothing was posted until `at_us` (SteadyNowUs).
  bool WaitUntil(int64_t at_us);

 private:
  sem_t semaphore_;
};

}  // namespace redoubt::infer
