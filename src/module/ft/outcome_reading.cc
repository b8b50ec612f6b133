#include "module/ft/outcome_reading.h"

#include <optional>
#include <utility>

#include "base/clock.h"
#include "module/ft/document_fields.h"
#include "module/ft/ft_module.h"
#include "module/host/key.h"

namespace redoubt::ft {
namespace {

// Reading one takes 1 to 3 us of a hash, some ten times as much of a JSON document.
constexpr size_t kMostInOneGo = 400;
constexpr size_t kBetweenLooks = 16;

int64_t Now() { return base::SystemClock().SteadyMicros(); }

// False when the document is gone.
bool ReadFields(host::Context& ctx, const search::SearchPlan& plan, search::FoundDocument& document) {
  const host::String key(document.key);
  if (plan.with_payloads) document.payload = LoadPayload(ctx, key.raw(), plan, document);
  if (plan.no_content) {
    document.fields.emplace();
    return true;
  }
  const std::optional<DocumentFields> fields = DocumentFields::Load(ctx, key.raw(), plan, document);
  if (fields) document.fields.emplace(fields->texts().begin(), fields->texts().end());
  return fields.has_value();
}

}  // namespace

bool OutcomeReading::IsLong(const search::SearchPlan& plan, const search::SearchOutcome& outcome) {
  return outcome.documents.size() > kMostInOneGo && (outcome.candidates || plan.shows_keys());
}

OutcomeReading::OutcomeReading(FtModule& ft, const search::SearchPlan& plan, search::SearchOutcome& outcome,
                               int64_t until_us, std::function<void()> done)
    : ft_(ft), plan_(plan), outcome_(outcome), until_us_(until_us), done_(std::move(done)) {
  if (outcome.candidates) ranking_ = std::make_unique<search::CandidateRanking>(plan, outcome);
}

void OutcomeReading::Start() { ft_.loader().Add(this); }

bool OutcomeReading::MeasureSome(host::Context& effects, int64_t until_us) {
  KeyMeasure measure(effects, *plan_.query.knn);
  size_t looks = 0;
  return ranking_->MeasureSome(
      [&](const search::FoundDocument& document) {
        return outcome_.timed_out ? std::optional<double>(document.distance) : measure(document);
      },
      [&] {
        if (++looks % kBetweenLooks != 0) return false;
        const int64_t now = Now();
        outcome_.timed_out |= now > until_us_;
        return now >= until_us;
      });
}

bool OutcomeReading::LoadSome(host::Context& effects, int64_t until_us) {
  if (ranking_ != nullptr) return MeasureSome(effects, until_us);
  std::vector<search::FoundDocument>& documents = outcome_.documents;
  while (next_ < documents.size()) {
    const bool there = ReadFields(effects, plan_, documents[next_]);
    if (there && kept_ != next_) documents[kept_] = std::move(documents[next_]);
    kept_ += there ? 1 : 0;
    if (++next_ % kBetweenLooks == 0 && next_ < documents.size() && Now() >= until_us) return false;
  }
  documents.resize(kept_);
  return true;
}

void OutcomeReading::ContinueOnReader() {
  if (ranking_ == nullptr) return End();
  if (!ft_.RunOnReader([this] { Sort(); })) End();  // the server ends: nobody waits for the answer
}

void OutcomeReading::Sort() {
  ranking_->Finish();
  ranking_ = nullptr;
  if (!plan_.shows_keys() || outcome_.documents.empty()) return End();
  ft_.loader().Add(this);
}

void OutcomeReading::End() {
  const std::function<void()> done = std::move(done_);
  done();
}

void ReadOutcome(host::Context& ctx, const search::SearchPlan& plan, bool fields, search::SearchOutcome& outcome) {
  MeasureCandidates(ctx, plan, outcome);
  if (!fields || !plan.shows_keys()) return;
  std::erase_if(outcome.documents,
                [&](search::FoundDocument& document) { return !document.fields && !ReadFields(ctx, plan, document); });
}

}  // namespace redoubt::ft
