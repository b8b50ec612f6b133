#include "base/clock.h"
#include "base/json.h"
#include "server/lab/lab.h"

namespace redoubt::lab {

using base::Json;
using base::Lang;

namespace {

Json TextOrNull(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <class T>
Json ValueOrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

std::string_view FaultKindName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kFillMemory:
      return "fill-memory";
    case FaultKind::kManyConnections:
      return "many-connections";
    case FaultKind::kSlowQuery:
      return "slow-query";
  }
  return "fill-memory";
}

std::string_view FaultStateName(FaultState state) {
  switch (state) {
    case FaultState::kRunning:
      return "running";
    case FaultState::kDone:
      return "done";
    case FaultState::kFailed:
      return "failed";
    case FaultState::kCleaned:
      return "cleaned";
  }
  return "done";
}

Json ToJson(const Fault& fault, Lang lang) {
  return {{"kind", FaultKindName(fault.kind)},
          {"instance", fault.instance},
          {"state", FaultStateName(fault.state)},
          {"started_at", base::FormatUtcMillis(fault.started_at_ms)},
          {"ends_at", fault.ends_at_ms ? Json(base::FormatUtcMillis(*fault.ends_at_ms)) : Json(nullptr)},
          {"progress", fault.progress},
          {"message", fault.message.In(lang)},
          {"error_type", TextOrNull(fault.error_type)}};
}

Json ToJson(const Outcome& outcome, Lang lang) {
  return {{"status", outcome.status},
          {"message", outcome.message.In(lang)},
          {"error_type", TextOrNull(outcome.error_type)},
          {"instance", outcome.instance},
          {"fault", outcome.fault ? ToJson(*outcome.fault, lang) : Json(nullptr)}};
}

Json ToJson(const Panel& panel, Lang lang) {
  Json faults = Json::array();
  for (const Fault& fault : panel.faults) faults.push_back(ToJson(fault, lang));
  return {{"instance", panel.instance},
          {"allowed", !panel.refusal.has_value()},
          {"reason", panel.refusal ? Json(panel.refusal->message.In(lang)) : Json(nullptr)},
          {"faults", std::move(faults)},
          {"limits",
           {{"fill_memory_max_mb", ValueOrNull(panel.limits.fill_memory_max_mb)},
            {"many_connections_max", ValueOrNull(panel.limits.many_connections_max)},
            {"slow_query_max_seconds", kSlowQueryMaxSeconds},
            {"auto_cleanup_seconds", kAutoCleanupSeconds}}}};
}

}  // namespace redoubt::lab
