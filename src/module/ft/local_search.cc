#include "module/ft/local_search.h"

#include <utility>

#include "base/clock.h"
#include "module/ft/outcome_reading.h"
#include "module/ft/search_job.h"
#include "module/host/blocked_client.h"
#include "module/host/main_thread.h"

namespace redoubt::ft {
namespace {

using Plan = std::shared_ptr<const search::SearchPlan>;
using Done = std::function<void(search::SearchOutcome)>;

// Owns itself, until `done` has been called.
class LocalSearch final : public QueuedSearch {
 public:
  LocalSearch(FtModule& ft, Plan plan, bool fields, Done done)
      : ft_(ft),
        plan_(std::move(plan)),
        fields_(fields),
        done_(std::move(done)),
        begin_us_(base::SystemClock().SteadyMicros()) {}

  search::SearchTask Task() const override { return TaskOf(ft_, *plan_, begin_us_); }
  void Finish(search::SearchOutcome outcome) override {
    outcome_ = std::move(outcome);
    auto end = [this] { host::RunOnMainThread([this] { std::unique_ptr<LocalSearch>(this)->End(); }); };
    if (!OutcomeReading::IsLong(*plan_, outcome_)) return end();
    reading_ = std::make_unique<OutcomeReading>(ft_, *plan_, outcome_, TimeLimitOf(*plan_, begin_us_), end);
    reading_->Start();
  }

 private:
  void End() {
    if (reading_ == nullptr) {
      host::Context ctx = host::EffectsContext::InDatabase(0);
      ReadOutcome(ctx, *plan_, fields_, outcome_);
    }
    done_(std::move(outcome_));
  }

  FtModule& ft_;
  const Plan plan_;
  const bool fields_;
  const Done done_;
  const int64_t begin_us_;
  search::SearchOutcome outcome_;
  std::unique_ptr<OutcomeReading> reading_;  // of a long one
};

}  // namespace

base::Status RunLocalSearch(FtModule& ft, const IndexEntry& entry, Plan plan, bool fields, Done done) {
  RETURN_IF_ERROR(ft.CheckMaySearch());
  ft.RunOnReader(entry, new LocalSearch(ft, std::move(plan), fields, std::move(done)));
  return base::OkStatus();
}

}  // namespace redoubt::ft
