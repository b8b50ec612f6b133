#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "base/lang.h"
#include "base/log.h"
#include "base/result.h"
#include "server/alert/silence.h"
#include "server/alert/thresholds.h"
#include "server/monitor/sample.h"

namespace redoubt::alert {

enum class Severity { kWarning, kCritical };
enum class State { kPending, kFiring, kAcknowledged, kResolved };
std::string_view SeverityName(Severity severity);  // "warning", "critical"
std::string_view StateName(State state);           // "pending", "firing", "acknowledged", "resolved"

// One rule of a group that holds at the moment.
struct Finding {
  std::string rule;
  Severity severity = Severity::kWarning;
  std::string metric;
  double value = 0;
  double threshold = 0;
  base::LocalText message;  // names value and threshold
};

// One episode of one cause (a rule's `group`) at one instance: it warns, may turn critical, and resolves, all under one
// id. `rule` to `message` are those of its worst finding.
struct Alert {
  std::string id;  // "al_" + hex, unique for ever
  std::string instance;
  std::string group;  // "memory", "replication", ...
  std::string rule;   // "memory_usage", ...
  Severity severity = Severity::kWarning;
  State state = State::kPending;
  std::string metric;
  double value = 0;
  double threshold = 0;
  base::LocalText message;
  std::vector<Finding> findings;  // all that hold, worst first
  int64_t started_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::optional<int64_t> resolved_at_ms;
  std::optional<int64_t> acked_at_ms;
  // Silenced: tracked, stored, listed and streamed, but nobody is to be paged. That is so while all its findings are
  // silenced, so that a new fault under a known cause is heard.
  std::optional<int64_t> silenced_until_ms;

  bool silenced() const { return silenced_until_ms.has_value(); }
};

struct AlertEvent {
  // kUnsilenced calls for attention as kFiring does: the alert outlasted its silence.
  enum class Change { kPending, kFiring, kEscalated, kLowered, kAcknowledged, kSilenced, kUnsilenced, kResolved };
  Change change = Change::kFiring;
  Alert alert;
};
std::string_view ChangeName(AlertEvent::Change change);  // "pending", "firing", "escalated", "lowered", ...

struct SilenceChange {
  Silence silence;
  std::vector<AlertEvent> events;  // the alerts that it made quiet
};

base::Json ToJson(const Alert& alert, base::Lang lang);  // the API's form
base::Json ToRecord(const Alert& alert);                 // the stored form, both languages
base::Result<Alert> FromRecord(const base::Json& record);

// Where alerts, silences and thresholds outlive a restart. `save` is called for every new, changed or resolved alert
// before its event goes out.
struct AlertStore {
  std::function<base::Status(const Alert&)> save;
  std::function<base::Result<std::vector<Alert>>()> load_open;  // not resolved
  // Newest first, resolved ones too; `instance` empty for all.
  std::function<base::Result<std::vector<Alert>>(const std::string& instance, size_t limit)> load_recent;

  std::function<base::Status(const Silence&)> save_silence;
  std::function<base::Status(const std::string& id)> remove_silence;
  std::function<base::Result<std::vector<Silence>>()> load_silences;

  // alert::ToRecord(Thresholds) by instance; an empty object removes them.
  std::function<base::Status(const std::string& instance, const base::Json& thresholds)> save_thresholds;
  std::function<base::Result<std::map<std::string, base::Json>>()> load_thresholds;
};
AlertStore MemoryAlertStore();

// Rules × samples → alerts. Rules are data (knowledge/rules/alerts.json). Safe on many threads; Observe() calls of one
// instance must come in the order of their samples.
class AlertEngine {
 public:
  static constexpr size_t kMaxSilences = 1000;

  struct Deps {
    const base::Clock* clock = nullptr;
    base::Logger logger;
    AlertStore store;
  };

  // InvalidArgument names the rule and the fault: unknown field, bad expression, repeated id.
  static base::Result<std::unique_ptr<AlertEngine>> Create(const base::Json& rules, Deps deps);
  ~AlertEngine();

  // Takes up silences, thresholds and the alerts that were open when redoubt stopped; these resolve or go on with the
  // next samples.
  base::Status Restore();

  // Feeds one sample; gives what changed.
  std::vector<AlertEvent> Observe(const monitor::Sample& sample);

  // Newest first. `instance` empty for all.
  std::vector<Alert> List(const std::string& instance, bool include_resolved, size_t limit) const;
  std::vector<Alert> Firing(const std::string& instance) const;  // firing and acknowledged ones
  std::optional<Alert> Get(const std::string& id) const;

  // NotFound, or FailedPrecondition when it is resolved already. Acknowledging twice is no error.
  base::Result<AlertEvent> Ack(const std::string& id);

  // Gives it an id. InvalidArgument when it does not end in the future, FailedPrecondition beyond kMaxSilences.
  base::Result<SilenceChange> AddSilence(Silence silence);
  // Gives the alerts that are loud again. NotFound.
  base::Result<std::vector<AlertEvent>> RemoveSilence(const std::string& id);
  std::vector<Silence> Silences() const;  // the one that ends first comes first

  // Sets the named rules at one instance, stored when it returns; the others stay as they are. They apply from the next
  // sample on: an alert that lies within the new thresholds resolves then.
  base::Status SetThresholds(const std::string& instance, const Thresholds& changes);
  base::Status ResetThresholds(const std::string& instance);  // all of them
  Thresholds ThresholdsOf(const std::string& instance) const;

  // Drops an instance's alerts from memory and resolves them (it is no longer watched). Its thresholds and its own
  // silences go too.
  std::vector<AlertEvent> Forget(const std::string& instance);

  // The rules that could not be observed in the last sample: [{"rule", "missing": ["maxmemory", …]}].
  base::Json NotObservable(const std::string& instance) const;
  const std::vector<Rule>& rules() const;

 private:
  class Impl;
  explicit AlertEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::alert
