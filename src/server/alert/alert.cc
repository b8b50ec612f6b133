#include "server/alert/alert.h"

#include <algorithm>

#include "base/json.h"

namespace redoubt::alert {

using base::Json;
using base::Lang;
using base::Result;

namespace {

Json OptionalTime(const std::optional<int64_t>& at_ms) {
  return at_ms ? Json(base::FormatUtcMillis(*at_ms)) : Json(nullptr);
}

Json OptionalMillis(const std::optional<int64_t>& at_ms) { return at_ms ? Json(*at_ms) : Json(nullptr); }

std::optional<int64_t> MillisOrNothing(const Json& record, const char* name) {
  auto found = record.find(name);
  if (found == record.end() || found->is_null()) return std::nullopt;
  return found->get<int64_t>();
}

Json Localized(const base::LocalText& text) { return {{"ko", text.ko}, {"en", text.en}}; }

base::LocalText LocalizedFrom(const Json& record) {
  return {record.at("ko").get<std::string>(), record.at("en").get<std::string>()};
}

Severity SeverityFrom(const Json& record) {
  return record.get<std::string>() == "critical" ? Severity::kCritical : Severity::kWarning;
}

State StateFrom(const Json& record) {
  const std::string name = record.get<std::string>();
  for (State state : {State::kPending, State::kFiring, State::kAcknowledged}) {
    if (StateName(state) == name) return state;
  }
  return State::kResolved;
}

Json FindingRecord(const Finding& finding) {
  return {{"rule", finding.rule},           {"severity", SeverityName(finding.severity)},
          {"metric", finding.metric},       {"value", finding.value},
          {"threshold", finding.threshold}, {"message", Localized(finding.message)}};
}

Finding FindingFrom(const Json& record) {
  return {record.at("rule").get<std::string>(),   SeverityFrom(record.at("severity")),
          record.at("metric").get<std::string>(), record.at("value").get<double>(),
          record.at("threshold").get<double>(),   LocalizedFrom(record.at("message"))};
}

}  // namespace

std::string_view SeverityName(Severity severity) { return severity == Severity::kCritical ? "critical" : "warning"; }

std::string_view StateName(State state) {
  switch (state) {
    case State::kPending:
      return "pending";
    case State::kFiring:
      return "firing";
    case State::kAcknowledged:
      return "acknowledged";
    case State::kResolved:
      return "resolved";
  }
  return "resolved";
}

std::string_view ChangeName(AlertEvent::Change change) {
  switch (change) {
    case AlertEvent::Change::kPending:
      return "pending";
    case AlertEvent::Change::kFiring:
      return "firing";
    case AlertEvent::Change::kEscalated:
      return "escalated";
    case AlertEvent::Change::kLowered:
      return "lowered";
    case AlertEvent::Change::kAcknowledged:
      return "acknowledged";
    case AlertEvent::Change::kSilenced:
      return "silenced";
    case AlertEvent::Change::kUnsilenced:
      return "unsilenced";
    case AlertEvent::Change::kResolved:
      return "resolved";
  }
  return "resolved";
}

Json ToJson(const Alert& alert, Lang lang) {
  Json findings = Json::array();
  for (const Finding& finding : alert.findings) {
    Json entry = FindingRecord(finding);
    entry["message"] = finding.message.In(lang);
    findings.push_back(std::move(entry));
  }
  return {{"id", alert.id},
          {"instance", alert.instance},
          {"group", alert.group},
          {"rule", alert.rule},
          {"severity", SeverityName(alert.severity)},
          {"state", StateName(alert.state)},
          {"metric", alert.metric},
          {"value", alert.value},
          {"threshold", alert.threshold},
          {"message", alert.message.In(lang)},
          {"messages", Localized(alert.message)},
          {"findings", std::move(findings)},
          {"silenced", alert.silenced()},
          {"silenced_until", OptionalTime(alert.silenced_until_ms)},
          {"started_at", base::FormatUtcMillis(alert.started_at_ms)},
          {"updated_at", base::FormatUtcMillis(alert.updated_at_ms)},
          {"resolved_at", OptionalTime(alert.resolved_at_ms)},
          {"acked_at", OptionalTime(alert.acked_at_ms)}};
}

Json ToRecord(const Alert& alert) {
  Json findings = Json::array();
  for (const Finding& finding : alert.findings) findings.push_back(FindingRecord(finding));
  return {{"id", alert.id},
          {"instance", alert.instance},
          {"group", alert.group},
          {"rule", alert.rule},
          {"severity", SeverityName(alert.severity)},
          {"state", StateName(alert.state)},
          {"metric", alert.metric},
          {"value", alert.value},
          {"threshold", alert.threshold},
          {"message", Localized(alert.message)},
          {"findings", std::move(findings)},
          {"started_at_ms", alert.started_at_ms},
          {"updated_at_ms", alert.updated_at_ms},
          {"resolved_at_ms", OptionalMillis(alert.resolved_at_ms)},
          {"acked_at_ms", OptionalMillis(alert.acked_at_ms)},
          {"silenced_until_ms", OptionalMillis(alert.silenced_until_ms)}};
}

Result<Alert> FromRecord(const Json& record) {
  Alert alert;
  try {
    alert.id = record.at("id").get<std::string>();
    alert.instance = record.at("instance").get<std::string>();
    alert.group = record.at("group").get<std::string>();
    alert.rule = record.at("rule").get<std::string>();
    alert.severity = SeverityFrom(record.at("severity"));
    alert.state = StateFrom(record.at("state"));
    alert.metric = record.at("metric").get<std::string>();
    alert.value = record.at("value").get<double>();
    alert.threshold = record.at("threshold").get<double>();
    alert.message = LocalizedFrom(record.at("message"));
    for (const Json& finding : record.at("findings")) alert.findings.push_back(FindingFrom(finding));
    alert.started_at_ms = record.at("started_at_ms").get<int64_t>();
    alert.updated_at_ms = record.at("updated_at_ms").get<int64_t>();
    alert.resolved_at_ms = MillisOrNothing(record, "resolved_at_ms");
    alert.acked_at_ms = MillisOrNothing(record, "acked_at_ms");
    alert.silenced_until_ms = MillisOrNothing(record, "silenced_until_ms");
  } catch (const Json::exception& error) {
    return base::DataLoss(std::string("stored alert is damaged: ") + error.what());
  }
  return alert;
}

namespace {

void KeepSettingsInMemory(AlertStore& store) {
  auto silences = std::make_shared<std::map<std::string, Silence>>();
  auto thresholds = std::make_shared<std::map<std::string, Json>>();
  store.save_silence = [silences](const Silence& silence) {
    (*silences)[silence.id] = silence;
    return base::OkStatus();
  };
  store.remove_silence = [silences](const std::string& id) {
    silences->erase(id);
    return base::OkStatus();
  };
  store.load_silences = [silences]() -> Result<std::vector<Silence>> {
    std::vector<Silence> all;
    for (const auto& [id, silence] : *silences) all.push_back(silence);
    return all;
  };
  store.save_thresholds = [thresholds](const std::string& instance, const Json& set) {
    if (set.empty()) {
      thresholds->erase(instance);
    } else {
      (*thresholds)[instance] = set;
    }
    return base::OkStatus();
  };
  store.load_thresholds = [thresholds]() -> Result<std::map<std::string, Json>> { return *thresholds; };
}

}  // namespace

AlertStore MemoryAlertStore() {
  auto kept = std::make_shared<std::vector<Alert>>();
  AlertStore store;
  store.save = [kept](const Alert& alert) {
    auto found = std::find_if(kept->begin(), kept->end(), [&](const Alert& other) { return other.id == alert.id; });
    if (found != kept->end()) {
      *found = alert;
    } else {
      kept->push_back(alert);
    }
    return base::OkStatus();
  };
  store.load_open = [kept]() -> Result<std::vector<Alert>> {
    std::vector<Alert> open;
    for (const Alert& alert : *kept) {
      if (alert.state != State::kResolved) open.push_back(alert);
    }
    return open;
  };
  store.load_recent = [kept](const std::string& instance, size_t limit) -> Result<std::vector<Alert>> {
    std::vector<Alert> recent;
    for (auto alert = kept->rbegin(); alert != kept->rend() && recent.size() < limit; ++alert) {
      if (instance.empty() || alert->instance == instance) recent.push_back(*alert);
    }
    return recent;
  };
  KeepSettingsInMemory(store);
  return store;
}

}  // namespace redoubt::alert
