#include "server/store/database.h"

#include <fmt/core.h>
#include <pthread.h>

#include <future>

#include "base/clock.h"

namespace redoubt::store {
namespace {

constexpr size_t kMaxWaitingWrites = 4096;       // of those that somebody waits for
constexpr size_t kMaxWaitingLaterWrites = 2048;  // samples give way first
constexpr size_t kMaxWritesPerCommit = 256;
constexpr size_t kMaxIdleReaders = 8;

base::Status ApplyMigration(Connection& db, const Migration& migration) {
  ASSIGN_OR_RETURN(Statement seen, db.Prepare("SELECT 1 FROM migrations WHERE name = ?"));
  ASSIGN_OR_RETURN(bool applied, seen.Bind(1, migration.name).Step());
  if (applied) return base::OkStatus();
  base::Status status = db.Execute(migration.sql);
  if (!status.ok()) {
    return base::Status(status.code(), fmt::format("migration {}: {}", migration.name, status.message()));
  }
  ASSIGN_OR_RETURN(Statement note, db.Prepare("INSERT INTO migrations(name, applied_at) VALUES(?, ?)"));
  return note.Bind(1, migration.name).Bind(2, base::FormatUtcMillis(base::SystemClock().WallMillis())).Run();
}

}  // namespace

base::Result<std::unique_ptr<Database>> Database::Open(const std::string& path, base::Logger logger) {
  std::unique_ptr<Database> database(new Database(path, std::move(logger)));
  ASSIGN_OR_RETURN(database->writer_, Connection::Open(path, Connection::Mode::kReadWrite));
  RETURN_IF_ERROR(database->writer_->Execute(
      "CREATE TABLE IF NOT EXISTS migrations(name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) WITHOUT ROWID;"));
  database->thread_ = std::thread([raw = database.get()] { raw->RunWriter(); });
  pthread_setname_np(database->thread_.native_handle(), "store-writer");
  return database;
}

Database::~Database() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mu_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

base::Status Database::Migrate(std::span<const Migration> migrations) {
  for (const Migration& migration : migrations) {
    RETURN_IF_ERROR(Write([&](Connection& db) { return ApplyMigration(db, migration); }));
  }
  return base::OkStatus();
}

base::Status Database::WriteAndWait(WriteFn fn) {
  std::promise<base::Status> outcome;
  std::future<base::Status> future = outcome.get_future();
  Job job{std::move(fn), [&](const base::Status& status) { outcome.set_value(status); }};
  RETURN_IF_ERROR(Enqueue(std::move(job), kMaxWaitingWrites));
  return future.get();
}

base::Status Database::WriteLater(WriteFn fn, std::function<void(const base::Status&)> done) {
  return Enqueue({std::move(fn), std::move(done)}, kMaxWaitingLaterWrites);
}

base::Status Database::Enqueue(Job job, size_t limit) {
  {
    std::lock_guard lock(mu_);
    if (stopping_) return base::Cancelled("the database is closing");
    if (jobs_.size() >= limit) {
      return base::ResourceExhausted(
          fmt::format("{} writes wait for {}: the disk does not keep up", jobs_.size(), path_));
    }
    jobs_.push_back(std::move(job));
  }
  work_.notify_one();
  return base::OkStatus();
}

void Database::RunWriter() {
  while (true) {
    std::vector<Job> jobs;
    {
      std::unique_lock lock(mu_);
      work_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      while (!jobs_.empty() && jobs.size() < kMaxWritesPerCommit) {
        jobs.push_back(std::move(jobs_.front()));
        jobs_.pop_front();
      }
    }
    CommitTogether(std::move(jobs));
  }
}

// One fsync for all that waited. Each write has its own savepoint, so that one that fails takes only itself back.
void Database::CommitTogether(std::vector<Job> jobs) {
  std::vector<base::Status> outcomes(jobs.size());
  base::Status begun = writer_->Execute("BEGIN IMMEDIATE");
  for (size_t i = 0; begun.ok() && i < jobs.size(); ++i) {
    outcomes[i] = writer_->Execute("SAVEPOINT one");
    if (!outcomes[i].ok()) continue;
    outcomes[i] = jobs[i].fn(*writer_);
    base::Status closed = writer_->Execute(outcomes[i].ok() ? "RELEASE one" : "ROLLBACK TO one; RELEASE one");
    if (outcomes[i].ok()) outcomes[i] = closed;
  }
  base::Status committed = begun.ok() ? writer_->Execute("COMMIT") : begun;
  if (!committed.ok()) {
    logger_.Error("{} not written: {}", path_, committed.message());
    if (begun.ok()) (void)writer_->Execute("ROLLBACK");
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    const base::Status& outcome = outcomes[i].ok() ? committed : outcomes[i];
    if (jobs[i].done) {
      jobs[i].done(outcome);
    } else if (!outcome.ok()) {
      logger_.Warning("a write to {} failed: {}", path_, outcome.message());
    }
  }
}

base::Status Database::ReadNow(const WriteFn& fn) const {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> reader, TakeReader());
  RETURN_IF_ERROR(reader->Execute("BEGIN"));
  base::Status outcome = fn(*reader);
  // A reader whose snapshot does not end would keep the WAL growing: drop it rather than reuse it.
  if (reader->Execute("COMMIT").ok()) GiveReader(std::move(reader));
  return outcome;
}

base::Result<std::unique_ptr<Connection>> Database::TakeReader() const {
  {
    std::lock_guard lock(readers_mu_);
    if (!idle_readers_.empty()) {
      std::unique_ptr<Connection> reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  return Connection::Open(path_, Connection::Mode::kReadOnly);
}

void Database::GiveReader(std::unique_ptr<Connection> reader) const {
  std::lock_guard lock(readers_mu_);
  if (idle_readers_.size() < kMaxIdleReaders) idle_readers_.push_back(std::move(reader));
}

}  // namespace redoubt::store
