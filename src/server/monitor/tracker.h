#pragma once

#include <optional>
#include <string>

#include "server/monitor/sample.h"

namespace redoubt::monitor {

// Compares each sample of one instance with the one before: restarts, role changes, a lost data set, the hit rate of
// the interval. One thread at a time.
class SampleTracker {
 public:
  // Fills restarted, role_changed, data_lost and hit_rate.
  void Track(Sample& sample);

 private:
  bool seen_ = false;
  std::string run_id_;
  std::string role_;
  double uptime_s_ = 0;
  double keys_ = 0;
  double hits_ = 0, misses_ = 0;
  // Set by a restart, until the server has loaded and shows how many keys are left.
  std::optional<double> keys_before_restart_;
};

}  // namespace redoubt::monitor
