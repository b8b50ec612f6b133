#include "infer/worker_threads.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <utility>

namespace redoubt::infer {
namespace {

// Sanitizers keep a shadow of every stack.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// Whether a process may take addresses that it does not use: no limit of its own, and a kernel that does not count
// them as memory.
bool AddressesAreFree() {
  rlimit addresses{};
  if (getrlimit(RLIMIT_AS, &addresses) != 0 || addresses.rlim_cur != RLIM_INFINITY) return false;
  int mode = 2;  // strict
  std::ifstream("/proc/sys/vm/overcommit_memory") >> mode;
  return mode != 2;
}

// Memory for a stack; null when there is none. Of /dev/zero, because the server's crash report writes to every
// anonymous mapping, to test the memory, and would fill all of it.
void* MapStack(size_t bytes) {
  const int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
  if (zero < 0) return nullptr;
  void* stack = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_STACK, zero, 0);
  close(zero);
  if (stack == MAP_FAILED) return nullptr;
  mprotect(stack, static_cast<size_t>(sysconf(_SC_PAGESIZE)), PROT_NONE);  // below it
  return stack;
}

}  // namespace

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

size_t WorkerStackBytes() {
  constexpr size_t kLeast = size_t{512} << 20;
  constexpr size_t kMost = size_t{64} << 30;
  if (kSanitized || !AddressesAreFree()) return kLeast;
  const size_t memory = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return std::clamp(memory / 2, kLeast, kMost);
}

struct WorkerThreads::Thread {
  WorkerThreads& threads;
  std::string name;
  int nice;
  std::function<void()> body;
};

void* WorkerThreads::Main(void* thread) {
  const std::unique_ptr<Thread> self(static_cast<Thread*>(thread));
  BecomeWorker(self->name, self->nice);
  self->body();
  self->body = nullptr;
  std::lock_guard ended(self->threads.mu_);
  --self->threads.running_;
  self->threads.ended_.notify_all();
  return nullptr;
}

// With the system's stack where there is no room for a deep one.
bool WorkerThreads::Create(Thread* thread, Running* running) {
  running->stack_bytes = WorkerStackBytes();
  running->stack = MapStack(running->stack_bytes);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (running->stack != nullptr) pthread_attr_setstack(&attributes, running->stack, running->stack_bytes);
  const bool created = pthread_create(&running->id, &attributes, &Main, thread) == 0;
  pthread_attr_destroy(&attributes);
  if (!created && running->stack != nullptr) munmap(running->stack, running->stack_bytes);
  return created;
}

bool WorkerThreads::Start(const std::string& name, int nice, std::function<void()> body) {
  std::lock_guard lock(mu_);
  auto thread = std::make_unique<Thread>(Thread{*this, name, nice, std::move(body)});
  Running running;
  if (!Create(thread.get(), &running)) return false;
  thread.release();  // its own now
  threads_.push_back(running);
  ++running_;
  return true;
}

bool WorkerThreads::JoinWithin(int64_t timeout_ms) {
  std::unique_lock lock(mu_);
  const bool all = ended_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return running_ == 0; });
  std::vector<Running> threads = std::move(threads_);
  threads_.clear();
  lock.unlock();
  for (const Running& thread : threads) {
    if (all) {
      pthread_join(thread.id, nullptr);
      if (thread.stack != nullptr) munmap(thread.stack, thread.stack_bytes);
    } else {
      pthread_detach(thread.id);
    }
  }
  return all;
}

}  // namespace redoubt::infer
