#include "module/ft/profiled_search.h"

#include <utility>

#include "base/clock.h"
#include "module/ft/measure_candidates.h"
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

void ProfiledSearch::NoteReply(int64_t begin_us) {
  const int64_t took_us = Now() - begin_us;
  profile_.steps.push_back({plan_->no_content ? "Keys" : "Loader", outcome_.documents.size(), took_us});
  profile_.total_us = profile_.parsing_us + profile_.search_us + took_us;
}

base::Status RunProfiledSearch(FtModule& ft, std::shared_ptr<ProfiledSearch> search, std::function<void()> done) {
  RETURN_IF_ERROR(ft.CheckMaySearch());
  (void)ft.RunOnReader([search = std::move(search), done = std::move(done)] {
    search->Run();
    host::RunOnMainThread(done);
  });
  return base::OkStatus();
}

}  // namespace redoubt::ft
