#include "backends/torch/deep_stack.h"

#include <ATen/PTThreadPool.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <utility>

namespace redoubt::backends::torch {
namespace {

// Only what is used of it becomes memory.
constexpr size_t kStackBytes = size_t{512} << 20;
constexpr size_t kEnough = kStackBytes / 8 * 7;

// The lowest byte of this thread's stack.
uintptr_t StackBegin() {
  thread_local const uintptr_t begin = [] {
    pthread_attr_t attributes;
    void* lowest = nullptr;
    size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) throw std::bad_alloc();
    pthread_attr_getstack(&attributes, &lowest, &bytes);
    pthread_attr_destroy(&attributes);
    return reinterpret_cast<uintptr_t>(lowest);
  }();
  return begin;
}

// Most bodies use little: that part stays.
void GiveBack(uintptr_t begin, uintptr_t end) {
  constexpr size_t kKept = size_t{1} << 20;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = (begin + page - 1) / page * page;
  madvise(reinterpret_cast<void*>(first), (end - kKept) / page * page - first, MADV_DONTNEED);
}

struct Work {
  const redoubt_host& host;
  const std::function<void()>& body;
};

void* RunWork(void* argument) {
  const Work& work = *static_cast<Work*>(argument);
  if (work.host.thread_started != nullptr) work.host.thread_started(work.host.user);
  work.body();
  return nullptr;
}

class DeepTaskPool final : public at::PTThreadPool {
 public:
  DeepTaskPool(const redoubt_host& host, int threads) : at::PTThreadPool(threads), host_(host) {}

  void run(std::function<void()> task) override {
    at::PTThreadPool::run([this, task = std::move(task)] {
      std::exception_ptr failure;
      OnDeepStack(host_, [&] {
        try {
          task();
        } catch (...) {
          failure = std::current_exception();
        }
      });
      if (failure) std::rethrow_exception(failure);
    });
  }

 private:
  const redoubt_host& host_;
};

}  // namespace

void OnDeepStack(const redoubt_host& host, const std::function<void()>& body) {
  const auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  const uintptr_t begin = StackBegin();
  if (here > begin && here - begin >= kEnough) {
    body();
    return GiveBack(begin, here);
  }
  Work work{host, body};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread{};
  const int failed = pthread_create(&thread, &attributes, &RunWork, &work);
  pthread_attr_destroy(&attributes);
  if (failed != 0) throw std::bad_alloc();
  pthread_join(thread, nullptr);
}

void RunTasksOnDeepStacks(const redoubt_host& host) {
  const auto make = [&host](int /*device*/, int threads, bool /*create_new*/) {
    return std::make_shared<DeepTaskPool>(host, threads);
  };
  c10::ThreadPoolRegistry()->Register("C10", make, c10::REGISTRY_PREFERRED);
}

}  // namespace redoubt::backends::torch
