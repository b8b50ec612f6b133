#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "base/result.h"
#include "module/ft/aggregate_result.h"
#include "module/ft/index_registry.h"
#include "module/host/acl.h"

namespace redoubt::ft {

class FtModule;

// The rest of an aggregation's rows, to be read bit by bit by the user who asked for them.
struct Cursor {
  std::weak_ptr<IndexEntry> index;
  std::string user;
  AggregateResult result;
  size_t count = 1000;  // rows of a READ
  int64_t max_idle_ms = 0;
  int64_t last_use_ms = 0;
};

inline constexpr size_t kMaxCursorsOfIndex = 128;

// All cursors. One that nobody reads for its max_idle_ms is dropped within a second of that, and so are those of an
// index that is gone. Their rows together are bounded, see MakeRoom(). Main thread only.
class CursorTable {
 public:
  explicit CursorTable(FtModule& ft) : ft_(ft) {}

  // ResourceExhausted when the index has as many as it may.
  base::Status CheckRoom(const std::shared_ptr<IndexEntry>& index) const;
  // The same, and for rows of `bytes` beside those of all cursors, `most` together. Cursors that nobody has read for a
  // few seconds are dropped for that, the one that waits longest first; others are not, then it is ResourceExhausted.
  base::Status MakeRoom(const std::shared_ptr<IndexEntry>& index, size_t bytes, size_t most);
  // The cursor's id, never 0.
  int64_t Add(std::unique_ptr<Cursor> cursor);
  // Null unless there is one of that index and user. Counts as a use.
  Cursor* Find(int64_t id, const std::shared_ptr<IndexEntry>& index, const std::string& user);
  void Drop(int64_t id);

  size_t size() const { return cursors_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  using Map = std::map<int64_t, std::unique_ptr<Cursor>>;

  static void OnTimer(RedisModuleCtx* ctx, void* self);
  void Arm();
  void DropIdle();
  Map::iterator Free(Map::iterator cursor);

  FtModule& ft_;
  Map cursors_;
  size_t bytes_ = 0;  // of their rows
  std::mt19937_64 random_{std::random_device()()};
  bool armed_ = false;
};

}  // namespace redoubt::ft
