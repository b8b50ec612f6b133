#pragma once

#include <span>
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

  // Whether that user may read all keys, there or not, that begin with any of `prefixes`; or there is no user. Sound,
  // but rules other than text* count for nothing (RulesCoverPrefix). What takes rights away is seen at once where it
  // takes a whole prefix, else after 100 ms: the server is asked for the rules of a user no more often.
  bool MayReadAllUnder(std::span<const std::string> prefixes) const;
  // The same of all keys there are: then no key has to be asked after.
  bool MayReadEveryKey() const;

  const std::string& user() const { return user_; }

 private:
  std::string user_;
};

}  // namespace redoubt::host
