#pragma once

#include <string>

#include "module/host/api.h"
#include "module/host/context.h"

namespace redoubt::host {

// Who sent a command, remembered for the time when its result comes back. Main thread only.
class Caller {
 public:
  // Nobody (an empty user()) for a command from the primary, the AOF or another module.
  static Caller Of(Context& ctx);
  // A user of another node of the cluster, who sent the command there.
  static Caller Named(std::string user);

  // Whether that user still exists and may use `key` so (any of REDISMODULE_CMD_KEY_ACCESS, _INSERT, _DELETE, _UPDATE).
  bool MayUseKey(RedisModuleString* key, int flags) const;

  // Whether no key is kept from that user, or there is none: then no key has to be asked after. Asks the server.
  bool MayUseEveryKey() const;

  const std::string& user() const { return user_; }

 private:
  std::string user_;
};

}  // namespace redoubt::host
