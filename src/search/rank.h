#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "search/index.h"

namespace redoubt::search {

// The distance of a document's own vector; nothing when it has none any more.
using MeasureDocument = std::function<std::optional<double>(const FoundDocument&)>;

// The order of SORTBY by a value; documents without one come last in either direction.
bool SortsBefore(const SearchPlan& plan, const FoundDocument& a, const FoundDocument& b);

// RankCandidates() in parts, for who may not measure all of them at once. Borrows both.
class CandidateRanking {
 public:
  CandidateRanking(const SearchPlan& plan, SearchOutcome& outcome) : plan_(plan), outcome_(outcome) {}

  // Measures on until all are that have to be, or `pause`, asked after each, answers true: then false, and the next
  // call goes on.
  bool MeasureSome(const MeasureDocument& measure, const std::function<bool()>& pause);
  // After that: the answer. Any thread.
  void Finish();

 private:
  const SearchPlan& plan_;
  SearchOutcome& outcome_;
  size_t next_ = 0;
  std::vector<FoundDocument> nearest_;
  std::vector<double> kth_;  // a heap of the k least distances
  double error_ = 0;         // the largest of a code
};

// Makes the answer out of `outcome.candidates`, nearest by their codes first: measures those that may be among the k
// nearest, keeps these, sorts them as the plan says and cuts to its LIMIT. Without effect on what is no candidates.
void RankCandidates(const SearchPlan& plan, const MeasureDocument& measure, SearchOutcome& outcome);

}  // namespace redoubt::search
