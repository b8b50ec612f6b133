#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/thread_annotations.h"
#include "server/store/connection.h"

namespace redoubt::store {

// A step of a room's schema, applied once and remembered by name ("kb/1"). Never edit one that was released: add one.
struct Migration {
  std::string_view name;
  std::string_view sql;
};

// The assistant's one SQLite file (WAL). All writing happens on one thread inside a transaction with synchronous=FULL:
// when Write() returns OK, the change survives kill -9 and a power cut. Writes that wait together are committed
// together. Reads run on the caller's thread over a few read-only connections and see a consistent state.
// All methods may be called from any thread but the writer's own (a write must not call Write).
class Database {
 public:
  using WriteFn = std::function<base::Status(Connection&)>;

  static base::Result<std::unique_ptr<Database>> Open(const std::string& path, base::Logger logger);
  // Finishes what waits, then closes.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Applies, in order, those not applied yet. Each room passes its own.
  base::Status Migrate(std::span<const Migration> migrations);

  // Runs `fn` on the writer thread and returns after its commit. An error of `fn` undoes its changes alone.
  // `fn` yields Status or Result<T>.
  template <class Fn>
  std::invoke_result_t<Fn, Connection&> Write(Fn&& fn) {
    return Collect(std::forward<Fn>(fn), [this](WriteFn wrapped) { return WriteAndWait(std::move(wrapped)); });
  }

  // Like Write() but returns at once; `done` (may be empty) gets the outcome on the writer thread. For what may be lost
  // in a crash, e.g. samples. ResourceExhausted when too many wait.
  base::Status WriteLater(WriteFn fn, std::function<void(const base::Status&)> done = nullptr);

  // `fn` yields Status or Result<T>.
  template <class Fn>
  std::invoke_result_t<Fn, Connection&> Read(Fn&& fn) const {
    return Collect(std::forward<Fn>(fn), [this](const WriteFn& wrapped) { return ReadNow(wrapped); });
  }

 private:
  struct Job {
    WriteFn fn;
    std::function<void(const base::Status&)> done;
  };

  Database(std::string path, base::Logger logger) : path_(std::move(path)), logger_(std::move(logger)) {}

  template <class Fn, class Runner>
  static std::invoke_result_t<Fn, Connection&> Collect(Fn&& fn, Runner run) {
    using Outcome = std::invoke_result_t<Fn, Connection&>;
    if constexpr (std::is_same_v<Outcome, base::Status>) {
      return run(std::forward<Fn>(fn));
    } else {
      std::optional<Outcome> outcome;
      base::Status status = run([&](Connection& connection) {
        outcome.emplace(fn(connection));
        return outcome->status();
      });
      if (!status.ok()) return status;
      return std::move(*outcome);
    }
  }

  base::Status WriteAndWait(WriteFn fn);
  base::Status ReadNow(const WriteFn& fn) const;
  base::Status Enqueue(Job job, size_t limit);
  void RunWriter();
  void CommitTogether(std::vector<Job> jobs);
  base::Result<std::unique_ptr<Connection>> TakeReader() const;
  void GiveReader(std::unique_ptr<Connection> reader) const;

  const std::string path_;
  const base::Logger logger_;
  std::unique_ptr<Connection> writer_;  // used by thread_ alone once it runs

  std::mutex mu_;
  std::condition_variable work_;
  std::deque<Job> jobs_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;

  mutable std::mutex readers_mu_;
  mutable std::vector<std::unique_ptr<Connection>> idle_readers_ GUARDED_BY(readers_mu_);

  std::thread thread_;  // last: starts when everything above is there
};

}  // namespace redoubt::store
