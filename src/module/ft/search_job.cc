#include "module/ft/search_job.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "module/ft/ft_module.h"
#include "module/ft/search_reply.h"

namespace redoubt::ft {
namespace {

// Together they take a few times as long as one alone: nobody waits much longer than in a queue.
constexpr size_t kTogether = 8;

}  // namespace

SearchJob::SearchJob(const FtModule& ft, search::SearchPlan plan, host::Caller caller)
    : ft_(ft), plan_(std::move(plan)), caller_(std::move(caller)), begin_us_(base::SystemClock().SteadyMicros()) {}

search::SearchTask SearchJob::Task() const {
  return {&plan_, [this] { return ft_.stopping() || OutOfTime(); }};
}

void SearchJob::Reply(host::Context& ctx) { ReplySearch(ctx, caller_, plan_, outcome_); }

bool SearchJob::OutOfTime() const {
  return plan_.timeout_ms > 0 && base::SystemClock().SteadyMicros() - begin_us_ > plan_.timeout_ms * 1000;
}

void SearchQueue::Add(SearchJob* job, host::BlockedClient* client) {
  std::lock_guard lock(mu_);
  waiting_.push_back({job, client});
}

std::vector<SearchQueue::Waiting> SearchQueue::Take() {
  std::lock_guard lock(mu_);
  auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(kTogether, waiting_.size()));
  std::vector<Waiting> taken(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return taken;
}

void SearchQueue::RunSome(search::LiveIndex& index) {
  std::vector<Waiting> taken = Take();
  if (taken.empty()) return;
  std::vector<search::SearchTask> tasks;
  for (const Waiting& one : taken) tasks.push_back(one.job->Task());
  std::vector<search::SearchOutcome> outcomes = index.SearchMany(tasks);
  for (size_t i = 0; i < taken.size(); ++i) {
    taken[i].job->set_outcome(std::move(outcomes[i]));
    taken[i].client->Unblock();
  }
}

}  // namespace redoubt::ft
