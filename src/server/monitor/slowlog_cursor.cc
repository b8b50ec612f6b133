#include "server/monitor/slowlog_cursor.h"

#include <algorithm>

namespace redoubt::monitor {
namespace {

// The server counts from the newest: what comes between the two questions would push out as many of the wanted ones.
constexpr int64_t kMayArrive = 8;

}  // namespace

int64_t SlowlogCursor::CountToAsk(int64_t newest_id) {
  if (!given_) given_ = newest_id;
  if (newest_id < *given_) given_ = -1;  // ids began anew: the server was restarted
  if (newest_id == *given_) return 0;
  return std::min(kDepth, newest_id - *given_ + kMayArrive);
}

std::vector<SlowlogEntry> SlowlogCursor::TakeNew(std::vector<SlowlogEntry> answer) {
  std::erase_if(answer, [this](const SlowlogEntry& entry) { return entry.id <= given_.value_or(-1); });
  if (!answer.empty()) given_ = answer.front().id;
  return answer;
}

}  // namespace redoubt::monitor
