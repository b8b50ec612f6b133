#pragma once

#include <string_view>

#include "server/alert/expression.h"
#include "server/monitor/sample.h"

namespace redoubt::alert {

// What an engine counts over the polls of one instance.
struct PollCounts {
  int bad_polls = 0;         // in a row: not reachable, or a PING over a second
  int64_t bad_since_ms = 0;  // of the first of them
  bool timed_out = false;    // this poll

  void Count(const monitor::Sample& sample);
};

// The sample as expressions see it: INFO fields by name, and
//   probe.reachable probe.ping_ms probe.timed_out probe.bad_polls probe.bad_for_s probe.restarted probe.role_changed
//   probe.data_lost probe.slowlog_new probe.clients (without ours) probe.keys probe.expires_share probe.hit_rate
//   probe.now_s probe.replicas_online probe.replica_lag_s probe.replica_gap_bytes probe.save_period_s
class SampleFacts final : public Facts {
 public:
  SampleFacts(const monitor::Sample& sample, const PollCounts& counts) : sample_(sample), counts_(counts) {}

  Value Field(std::string_view name) const override;
  Value Config(std::string_view name) const override;
  Value Errors(std::string_view code) const override;
  Value Calls(const std::vector<std::string>& commands) const override;
  int64_t now_ms() const override { return sample_.at_ms; }
  int interval_ms() const override { return sample_.interval_ms; }

 private:
  Value Probe(std::string_view name) const;
  Value Replica(std::string_view name) const;
  Value SavePeriod() const;

  const monitor::Sample& sample_;
  const PollCounts& counts_;
};

}  // namespace redoubt::alert
