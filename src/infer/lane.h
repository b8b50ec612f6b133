#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "infer/pending_run.h"

namespace redoubt::infer {

// The waiting runs of one model or script in a FairQueue, those that can be executed together side by side, so that a
// new run costs the same however many others wait. Not safe on several threads by itself.
class Lane {
 public:
  void Push(const PendingRun::Ptr& run);
  void Remove(const PendingRun::Ptr& run);
  bool empty() const { return groups_.empty(); }

  // Whether Take() would give something. Else `*wake_us` becomes the time when a batch will have waited long enough,
  // if that is earlier than what is there; 0 stands for never.
  bool CanRun(int64_t now_us, int64_t* wake_us) const;
  // The runs of the next execution, in the order of submission: a batch that is full or has waited long enough, else
  // one run that no batch takes. Of several such the one whose first run is the oldest. Empty when all should wait.
  RunGroup Take(int64_t now_us);
  RunGroup TakeAll();

 private:
  // Runs that can be joined; or, under the empty key, those that are executed one by one.
  struct Group {
    std::list<PendingRun::Ptr> runs;
    int64_t rows = 0;
    bool single = false;
  };
  using Groups = std::map<std::string, Group>;
  // (number of the group's first run, or the time when it is due; the group)
  using Order = std::set<std::pair<uint64_t, Groups::value_type*>>;

  // Take the group out of the orders before it changes and put it back afterwards, where an empty one ends.
  void Unlist(Groups::value_type& group);
  void List(Groups::value_type& group);
  Groups::value_type* Next(int64_t now_us) const;

  Groups groups_;
  Order ready_;    // by the number of the first run
  Order waiting_;  // by the time when the group is due
};

}  // namespace redoubt::infer
