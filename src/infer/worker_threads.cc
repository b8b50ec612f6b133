#include "infer/worker_threads.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <system_error>
#include <utility>

namespace redoubt::infer {

void BecomeWorker(const std::string& name, int nice) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
  sigset_t all;
  sigfillset(&all);
  // Faults of this thread must still reach the server's crash report.
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  if (nice != 0) setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice);
}

bool IsWorkerMask(const sigset_t& mask) {
  // What no thread of a server blocks for long.
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1}) {
    if (sigismember(&mask, signal) != 1) return false;
  }
  return true;
}

bool WorkerThreads::Start(const std::string& name, int nice, std::function<void()> body) {
  std::lock_guard lock(mu_);
  try {
    threads_.emplace_back([this, name, nice, body = std::move(body)] {
      BecomeWorker(name, nice);
      body();
      std::lock_guard ended(mu_);
      --running_;
      ended_.notify_all();
    });
  } catch (const std::system_error&) {
    return false;
  }
  ++running_;
  return true;
}

bool WorkerThreads::JoinWithin(int64_t timeout_ms) {
  std::unique_lock lock(mu_);
  const bool all = ended_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return running_ == 0; });
  std::vector<std::thread> threads = std::move(threads_);
  threads_.clear();
  lock.unlock();
  for (std::thread& thread : threads) {
    if (all) {
      thread.join();
    } else {
      thread.detach();
    }
  }
  return all;
}

}  // namespace redoubt::infer
