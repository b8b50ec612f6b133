#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/history/history.h"

namespace redoubt::history {

// When redoubt was running: from its first sample to its last.
struct RunSpan {
  int64_t started_ms = 0;
  int64_t alive_ms = 0;
};

// Puts points, in the order of time, into steps of one axis and finds the gaps between them. Pure.
class SeriesBuilder {
 public:
  SeriesBuilder(const RangeQuery& query, std::vector<RunSpan> runs);

  void Add(int64_t at_ms, bool reachable, int64_t interval_ms, const std::map<std::string, double>& values);
  SeriesSet Finish();

 private:
  struct Sum {
    double total = 0;
    int count = 0;
  };

  void CloseStep();
  void NoteGap(int64_t until_ms);
  GapReason ReasonFor(int64_t from_ms, int64_t to_ms) const;

  const RangeQuery& query_;
  const std::vector<RunSpan> runs_;
  SeriesSet set_;
  std::optional<int64_t> step_begin_ms_;
  std::map<std::string, Sum> sums_;
  std::optional<int64_t> last_at_ms_;  // of the last point with values
  int64_t last_interval_ms_ = 0;
  bool unreachable_since_ = false;
};

// A round step in milliseconds that gives at most `max_points` over the range.
int64_t ChooseStep(int64_t range_ms, int64_t wanted_ms, size_t max_points);

}  // namespace redoubt::history
