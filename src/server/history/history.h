#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "base/log.h"
#include "base/result.h"

namespace redoubt::store {
class Database;
}

namespace redoubt::history {

// What one poll adds: monitor::SeriesOf(sample), or no values when the server could not be reached.
struct Point {
  std::string instance;
  int64_t at_ms = 0;
  bool reachable = true;
  int interval_ms = 5000;
  std::vector<std::pair<std::string, double>> values;
};

enum class GapReason { kStopped, kUnreachable, kNotPolled };
std::string_view GapReasonName(GapReason reason);  // "redoubt-stopped", "unreachable", "not-polled"

struct Gap {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  GapReason reason = GapReason::kNotPolled;
};

// Series on one time axis: values[i] belongs to [times_ms[i], times_ms[i] + step_ms). Steps without a sample are left
// out, but each gap has one step at its begin in which nothing is seen, so that a line breaks there.
struct SeriesSet {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t step_ms = 0;
  std::vector<int64_t> times_ms;
  std::map<std::string, std::vector<std::optional<double>>> series;
  std::vector<Gap> gaps;
};

struct RangeQuery {
  std::string instance;
  std::vector<std::string> metrics;
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t step_ms = 0;      // 0: chosen for about max_points
  size_t max_points = 600;  // raised steps keep it below; at most 5,000
};

// Samples over time in the database. Append() only queues; one thread puts what has gathered into one transaction every
// flush_ms. Six hours are kept in full, a week by the minute (averages), older is dropped. A kill loses at most the
// last flush_ms of samples, never an alert or an instance. Safe on many threads.
class History {
 public:
  struct Options {
    int flush_ms = 1000;
    size_t queue_limit = 20'000;  // points; beyond it the oldest waiting are dropped, and it is logged
    int64_t raw_retention_ms = 6 * 3'600'000LL;
    int64_t minute_retention_ms = 7 * 86'400'000LL;
    int compact_every_ms = 60'000;
  };

  // Creates its tables. `database` outlives the history.
  static base::Result<std::unique_ptr<History>> Open(store::Database& database, base::Logger logger, Options options);
  static base::Result<std::unique_ptr<History>> Open(store::Database& database, base::Logger logger);
  ~History();  // writes what waits

  void Append(Point point);
  base::Status Flush();  // returns when all that was appended before is committed
  // Turns what is older than raw_retention_ms before `now_ms` into minutes and drops what is older than
  // minute_retention_ms. Runs by itself every compact_every_ms, on the samples' own clock.
  base::Status Compact(int64_t now_ms);
  base::Result<SeriesSet> Range(const RangeQuery& query) const;
  base::Status Forget(const std::string& instance);

 private:
  class Impl;
  explicit History(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::history
