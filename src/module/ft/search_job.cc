#include "module/ft/search_job.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "module/ft/ft_module.h"
#include "module/ft/measure_candidates.h"
#include "module/ft/search_reply.h"

namespace redoubt::ft {
namespace {

// Together they take a few times as long as one alone: nobody waits much longer than in a queue.
constexpr size_t kTogether = 8;

}  // namespace

SearchJob::SearchJob(FtModule& ft, search::SearchPlan plan, host::Caller caller)
    : ft_(ft), plan_(std::move(plan)), caller_(std::move(caller)), begin_us_(base::SystemClock().SteadyMicros()) {}

int64_t TimeLimitOf(const search::SearchPlan& plan, int64_t begin_us) {
  return plan.timeout_ms > 0 ? begin_us + plan.timeout_ms * 1000 : INT64_MAX;
}

search::SearchTask TaskOf(FtModule& ft, const search::SearchPlan& plan, int64_t begin_us) {
  const int64_t until_us = TimeLimitOf(plan, begin_us);
  return {&plan, [&ft, until_us] { return ft.stopping() || base::SystemClock().SteadyMicros() > until_us; },
          [&ft](std::function<void()> part) { return ft.RunOnIdleReader(std::move(part)); }, nullptr};
}

search::SearchTask SearchJob::Task() const { return TaskOf(ft_, plan_, begin_us_); }

void SearchJob::Finish(search::SearchOutcome outcome) {
  outcome_ = std::move(outcome);
  if (client_ == nullptr) return;
  if (!OutcomeReading::IsLong(plan_, outcome_)) return client_->Unblock();
  reading_ = std::make_unique<OutcomeReading>(ft_, plan_, outcome_, TimeLimitOf(plan_, begin_us_),
                                              [this] { client_->Unblock(); });
  reading_->Start();
}

void SearchJob::Reply(host::Context& ctx) {
  if (outcome_.timed_out && ft_.settings().fail_on_timeout) return ctx.ReplyError("Timeout limit was reached");
  MeasureCandidates(ctx, plan_, outcome_);
  ReplySearch(ctx, caller_, plan_, outcome_);
}

void SearchQueue::Add(QueuedSearch* search) {
  std::lock_guard lock(mu_);
  waiting_.push_back(search);
}

std::vector<QueuedSearch*> SearchQueue::Take() {
  std::lock_guard lock(mu_);
  auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(kTogether, waiting_.size()));
  std::vector<QueuedSearch*> taken(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return taken;
}

void SearchQueue::RunSome(search::LiveIndex& index) {
  std::vector<QueuedSearch*> taken = Take();
  if (taken.empty()) return;
  std::vector<search::SearchTask> tasks;
  for (const QueuedSearch* one : taken) tasks.push_back(one->Task());
  std::vector<search::SearchOutcome> outcomes = index.SearchMany(tasks);
  for (size_t i = 0; i < taken.size(); ++i) taken[i]->Finish(std::move(outcomes[i]));
}

}  // namespace redoubt::ft
