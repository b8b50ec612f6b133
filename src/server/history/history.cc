#include "server/history/history.h"

#include <fmt/core.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/thread_annotations.h"
#include "server/history/point_codec.h"
#include "server/history/series_builder.h"
#include "server/store/database.h"

namespace redoubt::history {

using base::Result;
using base::Status;
using store::Connection;
using store::Statement;

namespace {

constexpr store::Migration kMigrations[] = {{"history/1", R"sql(
  CREATE TABLE history_metrics (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE history_instances (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE history_points (
    instance INTEGER NOT NULL, at_ms INTEGER NOT NULL, reachable INTEGER NOT NULL, interval_ms INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (instance, at_ms)) WITHOUT ROWID;
  CREATE TABLE history_minutes (
    instance INTEGER NOT NULL, at_ms INTEGER NOT NULL, reachable INTEGER NOT NULL, interval_ms INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (instance, at_ms)) WITHOUT ROWID;
  CREATE TABLE history_runs (id INTEGER PRIMARY KEY, started_ms INTEGER NOT NULL, alive_ms INTEGER NOT NULL);
)sql"}};

constexpr int64_t kMinuteMs = 60'000;
constexpr int kRowsPerCompaction = 5000;  // per transaction, so that other writers wait only briefly
constexpr int64_t kMaxMetrics = 65'535;

// Finds or adds `name`; only on the writer.
Result<int64_t> NumberOf(Connection& connection, std::string_view find, std::string_view insert,
                         const std::string& name) {
  {
    ASSIGN_OR_RETURN(Statement statement, connection.Prepare(find));
    statement.Bind(1, name);
    ASSIGN_OR_RETURN(bool found, statement.Step());
    if (found) return statement.Int(0);
  }
  ASSIGN_OR_RETURN(Statement statement, connection.Prepare(insert));
  RETURN_IF_ERROR(statement.Bind(1, name).Run());
  return connection.last_insert_id();
}

Result<int64_t> InstanceNumber(Connection& connection, const std::string& name) {
  return NumberOf(connection, "SELECT id FROM history_instances WHERE name = ?",
                  "INSERT INTO history_instances (name) VALUES (?)", name);
}

Result<int64_t> MetricNumber(Connection& connection, const std::string& name) {
  ASSIGN_OR_RETURN(int64_t number, NumberOf(connection, "SELECT id FROM history_metrics WHERE name = ?",
                                            "INSERT INTO history_metrics (name) VALUES (?)", name));
  if (number > kMaxMetrics) return base::ResourceExhausted("the history knows too many metrics");
  return number;
}

Status WritePoint(Connection& connection, const Point& point) {
  ASSIGN_OR_RETURN(int64_t instance, InstanceNumber(connection, point.instance));
  MetricValues values;
  for (const auto& [name, value] : point.values) {
    ASSIGN_OR_RETURN(int64_t number, MetricNumber(connection, name));
    values.emplace_back(number, value);
  }
  ASSIGN_OR_RETURN(Statement statement,
                   connection.Prepare("INSERT OR REPLACE INTO history_points VALUES (?, ?, ?, ?, ?)"));
  statement.Bind(1, instance).Bind(2, point.at_ms).Bind(3, point.reachable).Bind(4, point.interval_ms);
  return statement.BindBlob(5, EncodeValues(values)).Run();
}

// One minute of one instance while it is being averaged.
struct Minute {
  int64_t instance = 0;
  int64_t at_ms = -1;
  bool reachable = false;
  std::map<int64_t, std::pair<double, int>> sums;
};

Status WriteMinute(Connection& connection, const Minute& minute) {
  if (minute.at_ms < 0) return base::OkStatus();
  MetricValues values;
  for (const auto& [metric, sum] : minute.sums) values.emplace_back(metric, sum.first / sum.second);
  ASSIGN_OR_RETURN(Statement statement,
                   connection.Prepare("INSERT OR REPLACE INTO history_minutes VALUES (?, ?, ?, ?, ?)"));
  statement.Bind(1, minute.instance).Bind(2, minute.at_ms).Bind(3, minute.reachable).Bind(4, kMinuteMs);
  return statement.BindBlob(5, EncodeValues(values)).Run();
}

// Averages whole minutes before `before_ms` of one instance into history_minutes and deletes their points. True when
// there may be more.
Result<bool> CompactInstance(Connection& connection, int64_t instance, int64_t before_ms) {
  Minute minute;
  int rows = 0;
  int64_t done_before_ms = before_ms;
  {
    ASSIGN_OR_RETURN(Statement select,
                     connection.Prepare("SELECT at_ms, reachable, body FROM history_points WHERE instance = ? AND "
                                        "at_ms < ? ORDER BY at_ms"));
    select.Bind(1, instance).Bind(2, before_ms);
    for (;;) {
      ASSIGN_OR_RETURN(bool row, select.Step());
      if (!row) break;
      int64_t begin_ms = select.Int(0) / kMinuteMs * kMinuteMs;
      if (begin_ms != minute.at_ms) {
        RETURN_IF_ERROR(WriteMinute(connection, minute));
        if (rows >= kRowsPerCompaction) {
          done_before_ms = begin_ms;
          minute = Minute{};
          break;
        }
        minute = Minute{instance, begin_ms, false, {}};
      }
      ++rows;
      if (select.Int(1) != 0) minute.reachable = true;
      for (const auto& [metric, value] : DecodeValues(select.Text(2))) {
        auto& sum = minute.sums[metric];
        sum.first += value;
        ++sum.second;
      }
    }
  }
  RETURN_IF_ERROR(WriteMinute(connection, minute));
  ASSIGN_OR_RETURN(Statement remove, connection.Prepare("DELETE FROM history_points WHERE instance = ? AND at_ms < ?"));
  RETURN_IF_ERROR(remove.Bind(1, instance).Bind(2, done_before_ms).Run());
  return done_before_ms != before_ms;
}

Result<std::map<int64_t, std::string>> MetricNames(Connection& connection) {
  ASSIGN_OR_RETURN(Statement statement, connection.Prepare("SELECT id, name FROM history_metrics"));
  std::map<int64_t, std::string> names;
  for (;;) {
    ASSIGN_OR_RETURN(bool row, statement.Step());
    if (!row) return names;
    names[statement.Int(0)] = statement.Text(1);
  }
}

Result<std::vector<RunSpan>> Runs(Connection& connection) {
  ASSIGN_OR_RETURN(Statement statement, connection.Prepare("SELECT started_ms, alive_ms FROM history_runs"));
  std::vector<RunSpan> runs;
  for (;;) {
    ASSIGN_OR_RETURN(bool row, statement.Step());
    if (!row) return runs;
    runs.push_back({statement.Int(0), statement.Int(1)});
  }
}

// Minutes, then points: a minute's points are deleted in the transaction that writes it.
constexpr std::string_view kRangeSql =
    "SELECT at_ms, reachable, interval_ms, body FROM ("
    "SELECT at_ms, reachable, interval_ms, body FROM history_minutes WHERE instance = ?1 AND at_ms >= ?2 AND at_ms < "
    "?3 "
    "UNION ALL "
    "SELECT at_ms, reachable, interval_ms, body FROM history_points WHERE instance = ?1 AND at_ms >= ?2 AND at_ms < "
    "?3) "
    "ORDER BY at_ms";

Result<SeriesSet> ReadRange(Connection& connection, const RangeQuery& query) {
  ASSIGN_OR_RETURN(auto names, MetricNames(connection));
  ASSIGN_OR_RETURN(std::vector<RunSpan> runs, Runs(connection));
  SeriesBuilder builder(query, std::move(runs));
  ASSIGN_OR_RETURN(Statement find, connection.Prepare("SELECT id FROM history_instances WHERE name = ?"));
  find.Bind(1, query.instance);
  ASSIGN_OR_RETURN(bool known, find.Step());
  if (!known) return builder.Finish();

  ASSIGN_OR_RETURN(Statement select, connection.Prepare(kRangeSql));
  select.Bind(1, find.Int(0)).Bind(2, query.from_ms).Bind(3, query.to_ms);
  for (;;) {
    ASSIGN_OR_RETURN(bool row, select.Step());
    if (!row) return builder.Finish();
    std::map<std::string, double> values;
    for (const auto& [metric, value] : DecodeValues(select.Text(3))) {
      auto name = names.find(metric);
      if (name == names.end()) continue;
      if (std::find(query.metrics.begin(), query.metrics.end(), name->second) == query.metrics.end()) continue;
      values[name->second] = value;
    }
    builder.Add(select.Int(0), select.Int(1) != 0, select.Int(2), values);
  }
}

}  // namespace

std::string_view GapReasonName(GapReason reason) {
  switch (reason) {
    case GapReason::kStopped:
      return "redoubt-stopped";
    case GapReason::kUnreachable:
      return "unreachable";
    case GapReason::kNotPolled:
      return "not-polled";
  }
  return "not-polled";
}

class History::Impl {
 public:
  Impl(store::Database& database, base::Logger logger, Options options)
      : database_(database), logger_(std::move(logger)), options_(options), thread_([this] { Run(); }) {}

  ~Impl() {
    {
      std::lock_guard lock(mu_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    (void)WriteWaiting();  // logs its own failure
  }

  void Append(Point point) {
    std::lock_guard lock(mu_);
    if (queue_.size() >= options_.queue_limit) {
      queue_.pop_front();
      if (dropped_++ % 1000 == 0) logger_.Warning("the history cannot keep up: {} samples dropped", dropped_);
    }
    newest_ms_ = std::max(newest_ms_, point.at_ms);
    queue_.push_back(std::move(point));
  }

  Status WriteWaiting() {
    std::lock_guard write_lock(write_mu_);
    std::deque<Point> points;
    {
      std::lock_guard lock(mu_);
      points.swap(queue_);
    }
    if (points.empty()) return base::OkStatus();
    Status status = database_.Write([&](Connection& connection) -> Status {
      for (const Point& point : points) RETURN_IF_ERROR(WritePoint(connection, point));
      return NoteAlive(connection, points.front().at_ms, points.back().at_ms);
    });
    if (!status.ok()) logger_.Error("{} samples could not be stored: {}", points.size(), status.message());
    return status;
  }

  Status Compact(int64_t now_ms) {
    int64_t raw_before_ms = (now_ms - options_.raw_retention_ms) / kMinuteMs * kMinuteMs;
    ASSIGN_OR_RETURN(std::vector<int64_t> instances, database_.Read(&Impl::InstanceNumbers));
    for (int64_t instance : instances) {
      for (bool more = true; more;) {
        Result<bool> again = database_.Write(
            [&](Connection& connection) { return CompactInstance(connection, instance, raw_before_ms); });
        if (!again.ok()) return again.status();
        more = *again;
      }
    }
    return database_.Write([&](Connection& connection) -> Status {
      ASSIGN_OR_RETURN(Statement minutes, connection.Prepare("DELETE FROM history_minutes WHERE at_ms < ?"));
      RETURN_IF_ERROR(minutes.Bind(1, now_ms - options_.minute_retention_ms).Run());
      ASSIGN_OR_RETURN(Statement runs, connection.Prepare("DELETE FROM history_runs WHERE alive_ms < ?"));
      return runs.Bind(1, now_ms - options_.minute_retention_ms).Run();
    });
  }

  Result<SeriesSet> Range(const RangeQuery& query) const {
    if (query.to_ms <= query.from_ms) return base::InvalidArgument("'to' must be later than 'from'");
    if (query.metrics.empty()) return base::InvalidArgument("name at least one metric");
    return database_.Read([&](Connection& connection) { return ReadRange(connection, query); });
  }

  Status Forget(const std::string& instance) {
    RETURN_IF_ERROR(WriteWaiting());
    return database_.Write([&](Connection& connection) -> Status {
      for (std::string_view sql :
           {"DELETE FROM history_points WHERE instance = (SELECT id FROM history_instances WHERE name = ?)",
            "DELETE FROM history_minutes WHERE instance = (SELECT id FROM history_instances WHERE name = ?)"}) {
        ASSIGN_OR_RETURN(Statement statement, connection.Prepare(sql));
        RETURN_IF_ERROR(statement.Bind(1, instance).Run());
      }
      return base::OkStatus();
    });
  }

 private:
  static Result<std::vector<int64_t>> InstanceNumbers(Connection& connection) {
    ASSIGN_OR_RETURN(Statement statement, connection.Prepare("SELECT id FROM history_instances"));
    std::vector<int64_t> numbers;
    for (;;) {
      ASSIGN_OR_RETURN(bool row, statement.Step());
      if (!row) return numbers;
      numbers.push_back(statement.Int(0));
    }
  }

  // Extends this run's span; called inside write transactions, one at a time.
  Status NoteAlive(Connection& connection, int64_t first_ms, int64_t last_ms) {
    if (run_id_ == 0) {
      ASSIGN_OR_RETURN(Statement insert,
                       connection.Prepare("INSERT INTO history_runs (started_ms, alive_ms) VALUES (?, ?)"));
      RETURN_IF_ERROR(insert.Bind(1, first_ms).Bind(2, last_ms).Run());
      run_id_ = connection.last_insert_id();
      return base::OkStatus();
    }
    ASSIGN_OR_RETURN(Statement update, connection.Prepare("UPDATE history_runs SET alive_ms = ? WHERE id = ?"));
    return update.Bind(1, last_ms).Bind(2, run_id_).Run();
  }

  void Run() {
    auto next_compact = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.compact_every_ms);
    std::unique_lock lock(mu_);
    while (!stopping_) {
      wake_.wait_for(lock, std::chrono::milliseconds(options_.flush_ms), [this] { return stopping_; });
      if (stopping_) return;
      int64_t newest_ms = newest_ms_;
      lock.unlock();
      (void)WriteWaiting();  // logs its own failure
      if (newest_ms > 0 && std::chrono::steady_clock::now() >= next_compact) {
        Status compacted = Compact(newest_ms);
        if (!compacted.ok()) logger_.Warning("old samples could not be compacted: {}", compacted.message());
        next_compact = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.compact_every_ms);
      }
      lock.lock();
    }
  }

  store::Database& database_;
  const base::Logger logger_;
  const Options options_;
  std::mutex write_mu_;  // batches go in the order in which they were taken
  int64_t run_id_ GUARDED_BY(write_mu_) = 0;
  std::mutex mu_;
  std::condition_variable wake_;
  std::deque<Point> queue_ GUARDED_BY(mu_);
  int64_t newest_ms_ GUARDED_BY(mu_) = 0;
  uint64_t dropped_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;  // last: starts when everything above is there
};

History::History(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
History::~History() = default;

Result<std::unique_ptr<History>> History::Open(store::Database& database, base::Logger logger, Options options) {
  RETURN_IF_ERROR(database.Migrate(kMigrations));
  return std::unique_ptr<History>(new History(std::make_unique<Impl>(database, std::move(logger), options)));
}

Result<std::unique_ptr<History>> History::Open(store::Database& database, base::Logger logger) {
  return Open(database, std::move(logger), Options{});
}

void History::Append(Point point) { impl_->Append(std::move(point)); }
Status History::Flush() { return impl_->WriteWaiting(); }
Status History::Compact(int64_t now_ms) { return impl_->Compact(now_ms); }
Result<SeriesSet> History::Range(const RangeQuery& query) const { return impl_->Range(query); }
Status History::Forget(const std::string& instance) { return impl_->Forget(instance); }

}  // namespace redoubt::history
