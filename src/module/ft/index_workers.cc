#include "module/ft/index_workers.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace redoubt::ft {
namespace {

constexpr size_t kStagedPerThread = 16;
constexpr size_t kTurns = 16;  // before another index gets the thread
constexpr size_t kQueueLimit = 1 << 20;

// Clients wait for the main thread and for searches; for this nobody does.
void LowerPriorityOnce() {
  constexpr int kNice = 10;
  static thread_local const int lowered = setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
  (void)lowered;  // without the right to do so the threads are as important as any
}

}  // namespace

IndexWorkers::IndexWorkers()
    : threads_(std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 64)),
      pool_("ft-index", threads_, kQueueLimit) {}

bool IndexWorkers::Enter(search::LiveIndex& index) {
  std::lock_guard lock(mu_);
  size_t& working = working_[&index];
  const size_t wanted = std::min(threads_, 1 + index.work().staged() / kStagedPerThread);
  if (working >= wanted) return false;
  ++working;
  return true;
}

void IndexWorkers::Leave(search::LiveIndex& index) {
  std::lock_guard lock(mu_);
  auto at = working_.find(&index);
  if (--at->second == 0) working_.erase(at);
}

void IndexWorkers::Wake(const std::shared_ptr<search::LiveIndex>& index) {
  while (!stopping_ && Enter(*index)) {
    if (pool_.TrySubmit([this, index] { Work(index); })) continue;
    Leave(*index);
    return;
  }
}

void IndexWorkers::Work(const std::shared_ptr<search::LiveIndex>& index) {
  using Turn = search::GraphWork::Turn;
  LowerPriorityOnce();
  Turn turn = Turn::kSome;
  for (size_t i = 0; i < kTurns && turn != Turn::kNone && !stopping_; ++i) {
    turn = index->work().Run([this] { return stopping_.load(); });
    if (turn == Turn::kWaiting) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Leave(*index);
  // Also for what came after the last look, whose writer saw this thread at work.
  if (index->work().pending()) Wake(index);
}

bool IndexWorkers::TrySubmit(std::function<void()> task) {
  return pool_.TrySubmit([task = std::move(task)] {
    LowerPriorityOnce();
    task();
  });
}

void IndexWorkers::Stop() {
  stopping_ = true;
  pool_.Stop();
}

}  // namespace redoubt::ft
