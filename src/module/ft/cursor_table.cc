#include "module/ft/cursor_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "module/ft/ft_module.h"
#include "module/host/blocked_client.h"

namespace redoubt::ft {
namespace {

constexpr int kLookMillis = 1000;
constexpr int64_t kMayGoMillis = 5000;  // a client reads on at once, or has gone away

int64_t NowMillis() { return base::SystemClock().SteadyMicros() / 1000; }

}  // namespace

base::Status CursorTable::CheckRoom(const std::shared_ptr<IndexEntry>& index) const {
  auto of_index = [&](const auto& cursor) { return cursor.second->index.lock() == index; };
  auto count = static_cast<size_t>(std::count_if(cursors_.begin(), cursors_.end(), of_index));
  if (count < kMaxCursorsOfIndex) return base::OkStatus();
  return base::ResourceExhausted(
      fmt::format("INDEX_CURSOR_LIMIT of {} has been reached for an index", kMaxCursorsOfIndex));
}

base::Status CursorTable::MakeRoom(const std::shared_ptr<IndexEntry>& index, size_t bytes, size_t most) {
  RETURN_IF_ERROR(CheckRoom(index));
  const int64_t before = NowMillis() - kMayGoMillis;
  auto longer_idle = [](const auto& a, const auto& b) { return a.second->last_use_ms < b.second->last_use_ms; };
  while (bytes <= most && bytes_ > most - bytes) {
    auto idlest = std::min_element(cursors_.begin(), cursors_.end(), longer_idle);
    if (idlest->second->last_use_ms > before) break;
    Free(idlest);
  }
  if (bytes <= most && bytes_ <= most - bytes) return base::OkStatus();
  return base::ResourceExhausted(fmt::format(
      "ERR the rows of this cursor take {} bytes, those of {} open cursors {}, and together they may take {} "
      "(CURSOR_MAX_BYTES): use LIMIT, or read and delete cursors",
      bytes, cursors_.size(), bytes_, most));
}

int64_t CursorTable::Add(std::unique_ptr<Cursor> cursor) {
  cursor->last_use_ms = NowMillis();
  int64_t id = 0;
  // Below 2^53: clients in JavaScript keep it as a double.
  while (id == 0 || cursors_.count(id) > 0) id = static_cast<int64_t>(random_() >> 11);
  bytes_ += cursor->result.bytes;
  cursors_.emplace(id, std::move(cursor));
  Arm();
  return id;
}

Cursor* CursorTable::Find(int64_t id, const std::shared_ptr<IndexEntry>& index, const std::string& user) {
  auto found = cursors_.find(id);
  if (found == cursors_.end() || index == nullptr) return nullptr;
  Cursor& cursor = *found->second;
  if (cursor.index.lock() != index || cursor.user != user) return nullptr;
  cursor.last_use_ms = NowMillis();
  return &cursor;
}

void CursorTable::Drop(int64_t id) {
  if (auto found = cursors_.find(id); found != cursors_.end()) Free(found);
}

// A hundred thousand rows take a while to free: not here.
CursorTable::Map::iterator CursorTable::Free(Map::iterator cursor) {
  bytes_ -= cursor->second->result.bytes;
  ft_.FreeLater(std::shared_ptr<Cursor>(std::move(cursor->second)));
  return cursors_.erase(cursor);
}

void CursorTable::Arm() {
  if (armed_ || cursors_.empty()) return;
  armed_ = true;
  RedisModule_CreateTimer(host::EffectsContext::raw(), kLookMillis, &OnTimer, this);
}

void CursorTable::OnTimer(RedisModuleCtx* /*ctx*/, void* self) {
  auto* table = static_cast<CursorTable*>(self);
  table->armed_ = false;
  table->DropIdle();
  table->Arm();
}

void CursorTable::DropIdle() {
  int64_t now = NowMillis();
  for (auto it = cursors_.begin(); it != cursors_.end();) {
    const Cursor& cursor = *it->second;
    bool idle = now - cursor.last_use_ms > cursor.max_idle_ms || cursor.index.expired();
    it = idle ? Free(it) : std::next(it);
  }
}

}  // namespace redoubt::ft
