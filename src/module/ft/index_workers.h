#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/thread_annotations.h"
#include "base/thread_pool.h"
#include "search/live_index.h"

namespace redoubt::ft {

// The threads that link staged vectors and mend graphs, at low priority: as many as processors. They sleep while there
// is nothing to do, and take turns where several indexes have work. Safe on many threads.
class IndexWorkers {
 public:
  IndexWorkers();

  // Gives `index` more threads, up to one for a few staged vectors each.
  void Wake(const std::shared_ptr<search::LiveIndex>& index);
  // Any other work that nobody waits for. False while the server ends.
  [[nodiscard]] bool TrySubmit(std::function<void()> task);
  void Stop();

 private:
  void Work(const std::shared_ptr<search::LiveIndex>& index);
  bool Enter(search::LiveIndex& index);
  void Leave(search::LiveIndex& index);

  const size_t threads_;
  std::atomic<bool> stopping_ = false;
  std::mutex mu_;
  std::map<search::LiveIndex*, size_t> working_ GUARDED_BY(mu_);  // threads per index that has some
  base::ThreadPool pool_;
};

}  // namespace redoubt::ft
