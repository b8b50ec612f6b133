#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "server/monitor/sample.h"

namespace redoubt::monitor {

// Where a reader of SLOWLOG stands, so that each entry is given once, also those that come while it reads. What was
// there before the first look is not new. One thread.
class SlowlogCursor {
 public:
  static constexpr int64_t kDepth = 128;  // entries asked for at most

  // `newest_id` as SLOWLOG GET 1 has it, -1 when there is none. The count to ask for next; 0 when nothing is new.
  int64_t CountToAsk(int64_t newest_id);
  // Of the answer to that, newest first: the entries not given before.
  std::vector<SlowlogEntry> TakeNew(std::vector<SlowlogEntry> answer);

 private:
  std::optional<int64_t> given_;  // the id up to which entries were given
};

}  // namespace redoubt::monitor
