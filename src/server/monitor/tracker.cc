#include "server/monitor/tracker.h"

#include <cmath>

namespace redoubt::monitor {
namespace {

std::optional<double> Percent(double part, double rest) {
  if (part + rest <= 0) return std::nullopt;
  return std::round(10'000.0 * part / (part + rest)) / 100.0;
}

}  // namespace

void SampleTracker::Track(Sample& sample) {
  if (!sample.reachable) return;
  const InfoFields& info = sample.info;
  std::string run_id(info.Text("run_id").value_or(""));
  std::string role(info.Text("role").value_or(""));
  double uptime_s = info.Number("uptime_in_seconds").value_or(0);
  double hits = info.Number("keyspace_hits").value_or(0);
  double misses = info.Number("keyspace_misses").value_or(0);
  double keys = TotalKeys(info).value_or(0);
  bool loading = info.Number("loading").value_or(0) != 0;

  if (seen_) {
    // Providers hide run_id; the uptime then still tells.
    sample.restarted = run_id != run_id_ || (run_id.empty() && uptime_s + 1 < uptime_s_);
    sample.role_changed = !role.empty() && !role_.empty() && role != role_;
  }
  if (sample.restarted) keys_before_restart_ = keys_;
  if (keys_before_restart_ && !loading) {
    sample.data_lost = *keys_before_restart_ > 0 && keys == 0;
    keys_before_restart_.reset();
  }
  bool continues = seen_ && !sample.restarted && hits >= hits_ && misses >= misses_;
  if (!continues) {
    sample.hit_rate = HitRatePercent(info);
  } else {
    sample.hit_rate = Percent(hits - hits_, misses - misses_);
  }
  seen_ = true;
  run_id_ = std::move(run_id);
  role_ = std::move(role);
  uptime_s_ = uptime_s;
  hits_ = hits;
  misses_ = misses;
  if (!loading) keys_ = keys;
}

}  // namespace redoubt::monitor
