#pragma once

#include <string>

#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::host {

// Who sent a command, remembered for the time when its result comes back. Main thread only.
class Caller {
 public:
  static Caller Of(Context& ctx);

  // Whether that user still exists and may use `key` so (REDISMODULE_CMD_KEY_*, e.g. _OW | _UPDATE).
  bool MayUseKey(RedisModuleString* key, int flags) const;

  const std::string& user() const { return user_; }

 private:
  std::string user_;
};

}  // namespace redoubt::host
