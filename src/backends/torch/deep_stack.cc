#include "backends/torch/deep_stack.h"

#include <pthread.h>

#include <new>

namespace redoubt::backends::torch {
namespace {

// Only what is used of it becomes memory.
constexpr size_t kStackBytes = size_t{512} << 20;

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

}  // namespace

void OnDeepStack(const redoubt_host& host, const std::function<void()>& body) {
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

}  // namespace redoubt::backends::torch
