#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "module/ft/field_loader.h"
#include "module/ft/measure_candidates.h"
#include "search/rank.h"

namespace redoubt::ft {

class FtModule;

// The keys that the answer to one search needs, read a slice at a time (FieldLoader), for what would hold up everybody
// in one go: first those of the candidates of a graph, for their distances; then the fields to be shown, into
// FoundDocument::fields. In between a reader thread sorts. A document that is gone by then is left out.
class OutcomeReading final : public KeyReading {
 public:
  // Whether there is so much to read.
  static bool IsLong(const search::SearchPlan& plan, const search::SearchOutcome& outcome);

  // Borrows both. After `until_us` of the steady clock candidates stay at the distances of their codes, and the outcome
  // is one whose time ran out. `done` is called on the thread that did the last of the work; this may be gone
  // afterwards.
  OutcomeReading(FtModule& ft, const search::SearchPlan& plan, search::SearchOutcome& outcome, int64_t until_us,
                 std::function<void()> done);

  // Any thread.
  void Start();

  bool LoadSome(host::Context& effects, int64_t until_us) override;
  void ContinueOnReader() override;

 private:
  bool MeasureSome(host::Context& effects, int64_t until_us);
  void Sort();
  void End();

  FtModule& ft_;
  const search::SearchPlan& plan_;
  search::SearchOutcome& outcome_;
  const int64_t until_us_;
  std::function<void()> done_;
  std::unique_ptr<search::CandidateRanking> ranking_;  // until it is finished
  size_t next_ = 0;                                    // document whose fields are read next
  size_t kept_ = 0;                                    // of those before
};

// The same in one go: distances and, where the plan shows any and `fields` says so, fields. Main thread only.
void ReadOutcome(host::Context& ctx, const search::SearchPlan& plan, bool fields, search::SearchOutcome& outcome);

}  // namespace redoubt::ft
