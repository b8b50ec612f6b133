#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread_annotations.h"
#include "module/ft/outcome_reading.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"
#include "search/live_index.h"

namespace redoubt::ft {

class FtModule;

// A search that a reader thread runs.
class QueuedSearch {
 public:
  virtual ~QueuedSearch() = default;
  virtual search::SearchTask Task() const = 0;
  // On the reader's thread, with what came out of the task. The search may be gone afterwards.
  virtual void Finish(search::SearchOutcome outcome) = 0;
};

// A client's search on its way: planned on the main thread, run by a reader thread, answered on the main thread.
class SearchJob final : public host::Completion, public QueuedSearch {
 public:
  SearchJob(FtModule& ft, search::SearchPlan plan, host::Caller caller);

  void set_client(host::BlockedClient* client) { client_ = client; }  // none: it runs in place
  search::SearchTask Task() const override;
  void Finish(search::SearchOutcome outcome) override;
  void Reply(host::Context& ctx) override;

 private:
  FtModule& ft_;
  const search::SearchPlan plan_;
  const host::Caller caller_;
  const int64_t begin_us_;
  host::BlockedClient* client_ = nullptr;
  search::SearchOutcome outcome_;
  std::unique_ptr<OutcomeReading> reading_;  // of a long one
};

// The task of a plan that began at `begin_us` of the steady clock: stops at its time limit and when the server ends.
// Borrows both.
search::SearchTask TaskOf(FtModule& ft, const search::SearchPlan& plan, int64_t begin_us);
// When that is.
int64_t TimeLimitOf(const search::SearchPlan& plan, int64_t begin_us);

// The searches that wait for one index. A reader takes several at a time, so that they share the pass over the vectors:
// the more clients wait, the less each search costs. Safe on many threads.
class SearchQueue {
 public:
  // `search` lives until its Finish().
  void Add(QueuedSearch* search);
  // Runs the oldest, a few at once, and finishes them. Nothing to do when another reader took them.
  void RunSome(search::LiveIndex& index);

 private:
  std::vector<QueuedSearch*> Take();

  std::mutex mu_;
  std::deque<QueuedSearch*> waiting_ GUARDED_BY(mu_);
};

}  // namespace redoubt::ft
