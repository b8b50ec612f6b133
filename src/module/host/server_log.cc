#include "module/host/server_log.h"

#include <string>

#include "module/host/blocked_client.h"

namespace redoubt::host {
namespace {

const char* ServerLevel(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kDebug:
      return REDISMODULE_LOGLEVEL_DEBUG;
    case base::LogLevel::kInfo:
      return REDISMODULE_LOGLEVEL_NOTICE;
    default:
      return REDISMODULE_LOGLEVEL_WARNING;
  }
}

}  // namespace

base::Logger ServerLogger() {
  return base::Logger(
      [](base::LogLevel level, std::string_view message) {
        // The server cuts at 1 KiB and filters by its own `loglevel`.
        RedisModule_Log(EffectsContext::raw(), ServerLevel(level), "%s", std::string(message).c_str());
      },
      base::LogLevel::kDebug);
}

}  // namespace redoubt::host
