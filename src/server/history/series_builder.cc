#include "server/history/series_builder.h"

#include <algorithm>

namespace redoubt::history {
namespace {

constexpr size_t kMostPoints = 5000;

}  // namespace

int64_t ChooseStep(int64_t range_ms, int64_t wanted_ms, size_t max_points) {
  static constexpr int64_t kRound[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
                                       600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800};
  size_t points = std::clamp<size_t>(wanted_ms > 0 ? kMostPoints : max_points, 1, kMostPoints);
  int64_t least_ms = std::max(wanted_ms, (range_ms + static_cast<int64_t>(points) - 1) / static_cast<int64_t>(points));
  if (wanted_ms > 0 && least_ms == wanted_ms) return wanted_ms;
  for (int64_t seconds : kRound) {
    if (seconds * 1000 >= least_ms) return seconds * 1000;
  }
  return least_ms;
}

SeriesBuilder::SeriesBuilder(const RangeQuery& query, std::vector<RunSpan> runs)
    : query_(query), runs_(std::move(runs)) {
  set_.from_ms = query.from_ms;
  set_.to_ms = query.to_ms;
  set_.step_ms = ChooseStep(query.to_ms - query.from_ms, query.step_ms, query.max_points);
  for (const std::string& metric : query.metrics) set_.series[metric];
}

void SeriesBuilder::CloseStep() {
  if (!step_begin_ms_) return;
  set_.times_ms.push_back(*step_begin_ms_);
  for (auto& [metric, values] : set_.series) {
    auto sum = sums_.find(metric);
    bool seen = sum != sums_.end() && sum->second.count > 0;
    values.push_back(seen ? std::optional(sum->second.total / sum->second.count) : std::nullopt);
  }
  step_begin_ms_.reset();
  sums_.clear();
}

GapReason SeriesBuilder::ReasonFor(int64_t from_ms, int64_t to_ms) const {
  if (unreachable_since_) return GapReason::kUnreachable;
  // A run that was alive through the gap saw it and did not poll.
  bool alive = std::any_of(runs_.begin(), runs_.end(),
                           [&](const RunSpan& run) { return run.started_ms <= from_ms && run.alive_ms >= to_ms - 1; });
  return alive ? GapReason::kNotPolled : GapReason::kStopped;
}

// Between the last point and `until_ms`, when more than a late poll lies between them.
void SeriesBuilder::NoteGap(int64_t until_ms) {
  if (!last_at_ms_ || until_ms - *last_at_ms_ <= last_interval_ms_ * 5 / 2) return;
  CloseStep();
  int64_t begin_ms = *last_at_ms_ + last_interval_ms_;
  set_.gaps.push_back({begin_ms, until_ms, ReasonFor(*last_at_ms_, until_ms)});
  set_.times_ms.push_back(std::max(begin_ms, set_.times_ms.back() + 1));
  for (auto& [metric, values] : set_.series) values.push_back(std::nullopt);
}

void SeriesBuilder::Add(int64_t at_ms, bool reachable, int64_t interval_ms,
                        const std::map<std::string, double>& values) {
  if (!reachable) {
    unreachable_since_ = true;
    return;
  }
  NoteGap(at_ms);
  int64_t begin_ms = query_.from_ms + (at_ms - query_.from_ms) / set_.step_ms * set_.step_ms;
  if (step_begin_ms_ != begin_ms) CloseStep();
  if (!set_.times_ms.empty()) begin_ms = std::max(begin_ms, set_.times_ms.back() + 1);
  if (!step_begin_ms_) step_begin_ms_ = begin_ms;
  for (const auto& [metric, value] : values) {
    sums_[metric].total += value;
    ++sums_[metric].count;
  }
  last_at_ms_ = at_ms;
  last_interval_ms_ = interval_ms;
  unreachable_since_ = false;
}

SeriesSet SeriesBuilder::Finish() {
  CloseStep();
  NoteGap(query_.to_ms);
  return std::move(set_);
}

}  // namespace redoubt::history
