#include "base/log.h"

#include <unistd.h>

#include <string>

#include "base/clock.h"

namespace redoubt::base {

std::string_view LogLevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarning:
      return "WARN";
    case LogLevel::kError:
      return "ERROR";
  }
  return "INFO";
}

LogSink StderrSink() {
  return [](LogLevel level, std::string_view message) {
    std::string line =
        fmt::format("{} {} {}\n", FormatUtcMillis(SystemClock().WallMillis()), LogLevelName(level), message);
    // One write keeps lines of several threads whole; nothing useful can be done when stderr is gone.
    [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  };
}

}  // namespace redoubt::base
