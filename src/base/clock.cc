#include "base/clock.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace redoubt::base {

int64_t SystemClock::WallMillis() const {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

int64_t SystemClock::SteadyMicros() const {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::string FormatUtcMillis(int64_t wall_ms) {
  int64_t ms = wall_ms % 1000;
  time_t seconds = wall_ms / 1000;
  if (ms < 0) {
    ms += 1000;
    seconds -= 1;
  }
  tm utc = {};
  gmtime_r(&seconds, &utc);
  char date[32];
  size_t n = strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  char text[48];
  std::snprintf(text, sizeof text, "%.*s.%03dZ", static_cast<int>(n), date, static_cast<int>(ms));
  return text;
}

}  // namespace redoubt::base
