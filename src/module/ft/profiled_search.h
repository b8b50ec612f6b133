#pragma once

#include <functional>
#include <memory>
#include <string>

#include "module/ft/ft_module.h"
#include "module/ft/outcome_reading.h"
#include "module/ft/profile_reply.h"
#include "search/index.h"

namespace redoubt::ft {

// One search for FT.PROFILE, alone: not together with others that wait, so that the times are its own.
class ProfiledSearch {
 public:
  // On the main thread.
  ProfiledSearch(FtModule& ft, const IndexEntry& entry, std::shared_ptr<const search::SearchPlan> plan,
                 QueryProfile profile);

  // On any thread.
  void Run();
  // After Run(), on any thread: reads what the reply needs of the keys where it is much (OutcomeReading). Then, or else
  // at once, `done` on any thread.
  void ReadIfLong(std::function<void()> done);
  const search::SearchPlan& plan() const { return *plan_; }
  search::SearchOutcome& outcome() { return outcome_; }
  // What is left to read, as ReadOutcome(). Main thread.
  void ReadRest(host::Context& ctx, bool fields);
  // After ReadRest(): the reply has been made.
  void NoteReply();
  void Reply(host::Context& ctx) const { ReplyProfile(ctx, profile_, plan_->query, definition_); }
  std::string Tape(bool resp3) const { return ProfileTape(profile_, plan_->query, definition_, resp3); }

 private:
  FtModule& ft_;
  const std::shared_ptr<search::LiveIndex> live_;
  const search::IndexDefinition definition_;
  const std::shared_ptr<const search::SearchPlan> plan_;
  QueryProfile profile_;
  search::SearchOutcome outcome_;
  std::unique_ptr<OutcomeReading> reading_;  // of a long one
  int64_t reading_since_us_ = 0;
};

// Runs it on a reader thread and reads what is much, then `done` on the main thread. Refusals as RunLocalSearch().
base::Status RunProfiledSearch(FtModule& ft, std::shared_ptr<ProfiledSearch> search, std::function<void()> done);

}  // namespace redoubt::ft
