#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "server/diagnose/recogniser.h"
#include "server/kb/condition.h"
#include "server/monitor/sample.h"

namespace redoubt::diagnose {

// Everything that conditions may ask about: INFO fields, settings ("config.timeout"), and what the tables say
// ("slowlog_max_us", "clients_omem_max", "slave_lag_max", "cluster_nodes_fail", "latency.fork").
// Given metrics come first, then the live sample, then what was pasted. Immutable once built.
class Facts final : public kb::FieldSource {
 public:
  // `metrics` and `live` may be null; both have to outlive nothing: values are copied.
  Facts(const Recognised& text, const base::Json* metrics, const monitor::Snapshot* live);

  std::optional<kb::FieldValue> Now(std::string_view field) const override;
  std::optional<kb::FieldValue> Before(std::string_view field) const override;
  std::optional<double> SecondsBetween() const override { return seconds_; }

  // Where a field stood in the pasted text.
  std::optional<uint32_t> LineOf(std::string_view field) const;
  // How many INFO fields are known: a whole INFO allows "healthy", three numbers do not.
  size_t field_count() const { return now_.size(); }
  bool has_before() const { return seconds_.has_value(); }

 private:
  void AddMetrics(const base::Json& metrics);
  void AddSettings(const monitor::ConfigValues& config);
  void AddSlowlog(const std::vector<monitor::SlowlogEntry>& entries, int64_t not_before_ms);
  void AddClients(const std::vector<monitor::ClientRow>& clients);
  void AddNodes(const std::vector<ClusterNode>& nodes);
  void AddReplicas();
  void AddLatency(const std::vector<std::pair<std::string, std::string>>& latency);
  void Derive(const std::string& name, double number, std::string text = "");

  monitor::InfoFields now_, before_;
  std::map<std::string, kb::FieldValue, std::less<>> derived_;
  std::map<std::string, uint32_t, std::less<>> lines_;
  std::optional<double> seconds_;
};

// "1.87G" -> bytes, "12.5%" -> 12.5, "100mb" -> bytes; nothing for other text.
std::optional<double> HumanNumber(std::string_view text);

}  // namespace redoubt::diagnose
