#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread_annotations.h"
#include "module/host/acl.h"
#include "module/host/blocked_client.h"
#include "search/live_index.h"

namespace redoubt::ft {

class FtModule;

// One search on its way: planned on the main thread, run by a reader thread, answered on the main thread.
class SearchJob final : public host::Completion {
 public:
  SearchJob(const FtModule& ft, search::SearchPlan plan, host::Caller caller);

  // What to run, on any thread; then what came out of it.
  search::SearchTask Task() const;
  void set_outcome(search::SearchOutcome outcome) { outcome_ = std::move(outcome); }

  void Reply(host::Context& ctx) override;

 private:
  bool OutOfTime() const;

  const FtModule& ft_;
  const search::SearchPlan plan_;
  const host::Caller caller_;
  const int64_t begin_us_;
  search::SearchOutcome outcome_;
};

// The searches that wait for one index. A reader takes several at a time, so that they share the pass over the vectors:
// the more clients wait, the less each search costs. Safe on many threads.
class SearchQueue {
 public:
  void Add(SearchJob* job, host::BlockedClient* client);
  // Runs the oldest, a few at once, and releases their clients. Nothing to do when another reader took them.
  void RunSome(search::LiveIndex& index);

 private:
  struct Waiting {
    SearchJob* job;  // owned by the blocked client
    host::BlockedClient* client;
  };
  std::vector<Waiting> Take();

  std::mutex mu_;
  std::deque<Waiting> waiting_ GUARDED_BY(mu_);
};

}  // namespace redoubt::ft
