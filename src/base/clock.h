#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace redoubt::base {

// Time, injected so that tests can move it. Safe on many threads.
class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970-01-01T00:00Z; may jump when the system clock is set.
  virtual int64_t WallMillis() const = 0;
  // Microseconds from an arbitrary point; never goes back. For durations and deadlines.
  virtual int64_t SteadyMicros() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t WallMillis() const override;
  int64_t SteadyMicros() const override;
};

// Stands still until it is moved.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t wall_ms = 1'700'000'000'000) : wall_ms_(wall_ms) {}
  int64_t WallMillis() const override { return wall_ms_; }
  int64_t SteadyMicros() const override { return steady_us_; }
  void AdvanceMillis(int64_t ms) {
    wall_ms_ += ms;
    steady_us_ += ms * 1000;
  }

 private:
  std::atomic<int64_t> wall_ms_;
  std::atomic<int64_t> steady_us_ = 0;
};

// 1700000000123 -> "2023-11-14T22:13:20.123Z": the form of every time in the API.
std::string FormatUtcMillis(int64_t wall_ms);

}  // namespace redoubt::base
