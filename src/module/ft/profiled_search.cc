#include "module/ft/profiled_search.h"

#include <utility>

#include "base/clock.h"
#include "module/host/blocked_client.h"
#include "module/host/main_thread.h"

namespace redoubt::ft {
namespace {

int64_t Now() { return base::SystemClock().SteadyMicros(); }

}  // namespace

ProfiledSearch::ProfiledSearch(FtModule& ft, const IndexEntry& entry, std::shared_ptr<const search::SearchPlan> plan,
                               QueryProfile profile)
    : ft_(ft),
      live_(entry.live),
      definition_(entry.definition()),
      plan_(std::move(plan)),
      profile_(std::move(profile)) {}

void ProfiledSearch::Run() {
  const int64_t begin = Now();
  auto stop = [&] { return ft_.stopping() || (plan_->timeout_ms > 0 && Now() - begin > plan_->timeout_ms * 1000); };
  const search::SearchTask task = {plan_.get(), stop, nullptr, &profile_.search};
  outcome_ = std::move(live_->SearchMany({&task, 1})[0]);
  profile_.search_us = Now() - begin;
  profile_.found = outcome_.total;
  profile_.timed_out = outcome_.timed_out;
  profile_.vectors = live_->Stats().documents;
  profile_.steps.push_back({"Index", outcome_.total, profile_.search_us});
  if (plan_->sort != search::SortKind::kNone) profile_.steps.push_back({"Sorter", outcome_.documents.size(), 0});
}

void ProfiledSearch::ReadIfLong(std::function<void()> done) {
  if (!OutcomeReading::IsLong(*plan_, outcome_)) return done();
  reading_since_us_ = Now();
  const int64_t until_us = plan_->timeout_ms > 0 ? reading_since_us_ + plan_->timeout_ms * 1000 : INT64_MAX;
  reading_ = std::make_unique<OutcomeReading>(ft_, *plan_, outcome_, until_us, std::move(done));
  reading_->Start();
}

void ProfiledSearch::ReadRest(host::Context& ctx, bool fields) {
  if (reading_ != nullptr) return;
  reading_since_us_ = Now();
  ReadOutcome(ctx, *plan_, fields, outcome_);
}

void ProfiledSearch::NoteReply() {
  const int64_t took_us = Now() - reading_since_us_;
  profile_.steps.push_back({plan_->no_content ? "Keys" : "Loader", outcome_.documents.size(), took_us});
  profile_.total_us = profile_.parsing_us + profile_.search_us + took_us;
}

base::Status RunProfiledSearch(FtModule& ft, std::shared_ptr<ProfiledSearch> search, std::function<void()> done) {
  RETURN_IF_ERROR(ft.CheckMaySearch());
  (void)ft.RunOnReader([search = std::move(search), done = std::move(done)] {
    search->Run();
    search->ReadIfLong([search, done] { host::RunOnMainThread(done); });
  });
  return base::OkStatus();
}

}  // namespace redoubt::ft
