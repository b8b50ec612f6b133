#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <random>

#include "base/json.h"
#include "base/thread_annotations.h"
#include "server/alert/alert.h"
#include "server/alert/instance_state.h"
#include "server/alert/rule.h"

namespace redoubt::alert {

using base::Json;
using base::Result;
using base::Status;
using Change = AlertEvent::Change;

namespace {

std::string NewId(const char* prefix) {
  static std::random_device device;
  static std::mutex mu;
  std::lock_guard lock(mu);
  uint64_t bits = (uint64_t{device()} << 32) | device();
  return fmt::format("{}_{:016x}", prefix, bits);
}

bool IsOpen(const Alert& alert) { return alert.state != State::kResolved; }

// The worst finding leads; among equals the one that led before, so that an alert keeps its name.
void TakeFindings(Alert& alert, std::vector<Finding> findings) {
  auto lead = findings.begin();
  for (auto finding = findings.begin(); finding != findings.end(); ++finding) {
    if (finding->severity == findings.front().severity && finding->rule == alert.rule) lead = finding;
  }
  alert.rule = lead->rule;
  alert.severity = lead->severity;
  alert.metric = lead->metric;
  alert.value = lead->value;
  alert.threshold = lead->threshold;
  alert.message = lead->message;
  std::rotate(findings.begin(), lead, lead + 1);
  alert.findings = std::move(findings);
}

}  // namespace

class AlertEngine::Impl {
 public:
  Impl(std::vector<Rule> rules, Deps deps) : rules_(std::move(rules)), deps_(std::move(deps)) {
    for (const Rule& rule : rules_) {
      if (std::find(groups_.begin(), groups_.end(), rule.group) == groups_.end()) groups_.push_back(rule.group);
    }
  }

  Status Restore() {
    std::lock_guard lock(mu_);
    RETURN_IF_ERROR(RestoreSilences());
    RETURN_IF_ERROR(RestoreThresholds());
    ASSIGN_OR_RETURN(std::vector<Alert> open, deps_.store.load_open());
    for (Alert& alert : open) {
      Watched& watched = Of(alert.instance);
      watched.state.Restore(alert);
      watched.open[alert.group] = std::move(alert);
    }
    deps_.logger.Info("{} open alerts taken up again", open.size());
    return base::OkStatus();
  }

  std::vector<AlertEvent> Observe(const monitor::Sample& sample) {
    std::lock_guard lock(mu_);
    DropExpired();
    Watched& watched = Of(sample.instance);
    watched.state.Observe(sample);
    std::vector<AlertEvent> events;
    for (const std::string& group : groups_) ObserveGroup(sample, group, watched, events);
    return events;
  }

  std::vector<AlertEvent> Forget(const std::string& instance) {
    std::lock_guard lock(mu_);
    std::vector<AlertEvent> events;
    for (const std::string& id : silences_.TakeOf(instance)) Report("silence", deps_.store.remove_silence(id));
    auto watched = instances_.find(instance);
    if (watched == instances_.end()) return events;
    if (!watched->second.state.thresholds().empty()) {
      Report("thresholds", deps_.store.save_thresholds(instance, Json::object()));
    }
    int64_t now_ms = deps_.clock->WallMillis();
    for (auto& [group, alert] : watched->second.open) Resolve(alert, now_ms, events);
    instances_.erase(watched);
    return events;
  }

  Result<AlertEvent> Ack(const std::string& id) {
    std::lock_guard lock(mu_);
    for (auto& [instance, watched] : instances_) {
      for (auto& [group, alert] : watched.open) {
        if (alert.id != id) continue;
        if (alert.state == State::kAcknowledged) return AlertEvent{Change::kAcknowledged, alert};
        alert.state = State::kAcknowledged;
        alert.acked_at_ms = deps_.clock->WallMillis();
        RETURN_IF_ERROR(deps_.store.save(alert));
        return AlertEvent{Change::kAcknowledged, alert};
      }
    }
    ASSIGN_OR_RETURN(std::vector<Alert> recent, deps_.store.load_recent("", 1000));
    bool resolved = std::any_of(recent.begin(), recent.end(), [&](const Alert& alert) { return alert.id == id; });
    if (resolved) return base::FailedPrecondition(fmt::format("alert '{}' is resolved already", id));
    return base::NotFound(fmt::format("no alert '{}'", id));
  }

  std::vector<Alert> List(const std::string& instance, bool include_resolved, size_t limit) const {
    std::lock_guard lock(mu_);
    std::vector<Alert> alerts;
    for (const auto& [id, watched] : instances_) {
      if (!instance.empty() && id != instance) continue;
      for (const auto& [group, alert] : watched.open) {
        alerts.push_back(alert);
        alerts.back().silenced_until_ms = SilencedUntil(alert);  // as of now, not of the last sample
      }
    }
    if (include_resolved) AddResolved(instance, limit, alerts);
    auto newer = [](const Alert& a, const Alert& b) { return a.started_at_ms > b.started_at_ms; };
    std::stable_sort(alerts.begin(), alerts.end(), newer);
    if (alerts.size() > limit) alerts.resize(limit);
    return alerts;
  }

  Result<SilenceChange> AddSilence(Silence silence) {
    std::lock_guard lock(mu_);
    DropExpired();
    silence.created_at_ms = deps_.clock->WallMillis();
    if (silence.until_ms <= silence.created_at_ms) return base::InvalidArgument("a silence must end in the future");
    if (silences_.size() >= kMaxSilences) {
      return base::FailedPrecondition(fmt::format("there are {} silences; end one first", kMaxSilences));
    }
    silence.id = NewId("si");
    RETURN_IF_ERROR(deps_.store.save_silence(silence));
    silences_.Add(silence);
    return SilenceChange{std::move(silence), MarkAll()};
  }

  Result<std::vector<AlertEvent>> RemoveSilence(const std::string& id) {
    std::lock_guard lock(mu_);
    if (!silences_.Has(id)) return base::NotFound(fmt::format("no silence '{}'", id));
    RETURN_IF_ERROR(deps_.store.remove_silence(id));
    silences_.Remove(id);
    return MarkAll();
  }

  std::vector<Silence> Silences() const {
    std::lock_guard lock(mu_);
    return silences_.Active(deps_.clock->WallMillis());
  }

  Status SetThresholds(const std::string& instance, const Thresholds& changes) {
    std::lock_guard lock(mu_);
    InstanceState& state = Of(instance).state;
    Thresholds thresholds = state.thresholds();
    for (const auto& [rule, set] : changes) {
      thresholds.erase(rule);
      if (set != RuleThresholds{}) thresholds.emplace(rule, set);
    }
    RETURN_IF_ERROR(deps_.store.save_thresholds(instance, ToRecord(thresholds)));
    state.SetThresholds(std::move(thresholds));
    return base::OkStatus();
  }

  Status ResetThresholds(const std::string& instance) {
    std::lock_guard lock(mu_);
    RETURN_IF_ERROR(deps_.store.save_thresholds(instance, Json::object()));
    Of(instance).state.SetThresholds({});
    return base::OkStatus();
  }

  Thresholds ThresholdsOf(const std::string& instance) const {
    std::lock_guard lock(mu_);
    auto watched = instances_.find(instance);
    return watched == instances_.end() ? Thresholds{} : watched->second.state.thresholds();
  }

  Json NotObservable(const std::string& instance) const {
    std::lock_guard lock(mu_);
    Json list = Json::array();
    auto watched = instances_.find(instance);
    if (watched == instances_.end()) return list;
    for (const auto& [rule, missing] : watched->second.state.missing()) {
      list.push_back({{"rule", rule}, {"missing", missing}});
    }
    return list;
  }

  const std::vector<Rule>& rules() const { return rules_; }

 private:
  struct Watched {
    explicit Watched(const std::vector<Rule>& rules) : state(rules) {}
    InstanceState state;
    std::map<std::string, Alert> open;  // by group
  };

  Status RestoreSilences() {
    ASSIGN_OR_RETURN(std::vector<Silence> silences, deps_.store.load_silences());
    for (Silence& silence : silences) silences_.Add(std::move(silence));
    DropExpired();
    return base::OkStatus();
  }

  // A rule that the rules' file no longer has, or has changed, must not cost the others their thresholds.
  Status RestoreThresholds() {
    ASSIGN_OR_RETURN(auto stored, deps_.store.load_thresholds());
    for (const auto& [instance, record] : stored) {
      Thresholds thresholds;
      for (const auto& [rule, set] : record.items()) {
        ThresholdsRead read = ReadThresholds(rules_, Json{{rule, set}});
        if (read.fault) {
          deps_.logger.Warning("a threshold set at {} is left out: {}", instance, read.fault->message.en);
        } else {
          thresholds.merge(read.thresholds);
        }
      }
      Of(instance).state.SetThresholds(std::move(thresholds));
    }
    return base::OkStatus();
  }

  void DropExpired() {
    for (const std::string& id : silences_.TakeExpired(deps_.clock->WallMillis())) {
      Report("silence", deps_.store.remove_silence(id));
    }
  }

  Watched& Of(const std::string& instance) { return instances_.try_emplace(instance, rules_).first->second; }

  void AddResolved(const std::string& instance, size_t limit, std::vector<Alert>& alerts) const {
    Result<std::vector<Alert>> recent = deps_.store.load_recent(instance, limit);
    if (!recent.ok()) {
      deps_.logger.Error("stored alerts cannot be read: {}", recent.status().message());
      return;
    }
    for (Alert& alert : *recent) {
      if (!IsOpen(alert)) alerts.push_back(std::move(alert));
    }
  }

  void ObserveGroup(const monitor::Sample& sample, const std::string& group, Watched& watched,
                    std::vector<AlertEvent>& events) {
    std::vector<Finding> fired = watched.state.Fired(group);
    auto open = watched.open.find(group);
    if (!fired.empty()) {
      if (open == watched.open.end()) open = watched.open.emplace(group, NewAlert(sample, group, watched)).first;
      Fire(open->second, std::move(fired), sample.at_ms, events);
      return;
    }
    std::vector<Finding> holding = watched.state.Holding(group);
    bool is_pending = open != watched.open.end() && open->second.state == State::kPending;
    if (holding.empty() || (open != watched.open.end() && !is_pending)) {
      if (open == watched.open.end()) return;
      Resolve(open->second, sample.at_ms, events);
      watched.open.erase(open);
    }
    if (holding.empty()) return;
    if (!is_pending) open = watched.open.insert_or_assign(group, NewAlert(sample, group, watched)).first;
    TakeFindings(open->second, std::move(holding));
    open->second.updated_at_ms = sample.at_ms;
    open->second.silenced_until_ms = SilencedUntil(open->second);
    if (!is_pending) events.push_back({Change::kPending, open->second});
  }

  Alert NewAlert(const monitor::Sample& sample, const std::string& group, const Watched& watched) const {
    Alert alert;
    alert.id = NewId("al");
    alert.instance = sample.instance;
    alert.group = group;
    alert.started_at_ms = watched.state.HoldingSince(group).value_or(sample.at_ms);
    return alert;
  }

  void Fire(Alert& alert, std::vector<Finding> fired, int64_t now_ms, std::vector<AlertEvent>& events) {
    Severity before = alert.severity;
    const std::string rule_before = alert.rule;
    bool first = alert.state == State::kPending;
    TakeFindings(alert, std::move(fired));
    alert.updated_at_ms = now_ms;
    const bool silenced_before = alert.silenced();
    alert.silenced_until_ms = SilencedUntil(alert);
    if (first) {
      alert.state = State::kFiring;
      Emit(Change::kFiring, alert, events);
    } else if (alert.severity > before) {
      alert.state = State::kFiring;  // what was acknowledged was the lesser evil
      alert.acked_at_ms.reset();
      Emit(Change::kEscalated, alert, events);
    } else if (alert.severity < before) {
      Emit(Change::kLowered, alert, events);
    }
    bool told = first || alert.severity > before;
    if (!told && alert.silenced() != silenced_before) {
      Emit(alert.silenced() ? Change::kSilenced : Change::kUnsilenced, alert, events);
    } else if (alert.severity == before && alert.rule != rule_before) {
      Save(alert);
    }
  }

  // After a silence came or went: every open alert, at once rather than with its next sample.
  std::vector<AlertEvent> MarkAll() {
    std::vector<AlertEvent> events;
    for (auto& [instance, watched] : instances_) {
      for (auto& [group, alert] : watched.open) {
        const bool before = alert.silenced();
        alert.silenced_until_ms = SilencedUntil(alert);
        if (alert.state == State::kPending || alert.silenced() == before) continue;
        Emit(alert.silenced() ? Change::kSilenced : Change::kUnsilenced, alert, events);
      }
    }
    return events;
  }

  // Quiet only while every finding is, and as long as the first of them.
  std::optional<int64_t> SilencedUntil(const Alert& alert) const {
    const int64_t now_ms = deps_.clock->WallMillis();
    std::optional<int64_t> until_ms = silences_.Until(alert.instance, alert.rule, alert.group, now_ms);
    for (const Finding& finding : alert.findings) {
      std::optional<int64_t> one = silences_.Until(alert.instance, finding.rule, alert.group, now_ms);
      if (!one || !until_ms) return std::nullopt;
      until_ms = std::min(*until_ms, *one);
    }
    return until_ms;
  }

  void Resolve(Alert& alert, int64_t now_ms, std::vector<AlertEvent>& events) {
    bool was_pending = alert.state == State::kPending;
    alert.state = State::kResolved;
    alert.resolved_at_ms = alert.updated_at_ms = now_ms;
    if (was_pending) {
      events.push_back({Change::kResolved, alert});  // it never fired: nothing to keep
    } else {
      Emit(Change::kResolved, alert, events);
    }
  }

  void Emit(Change change, const Alert& alert, std::vector<AlertEvent>& events) {
    Save(alert);
    events.push_back({change, alert});
  }

  void Save(const Alert& alert) { Report("alert " + alert.id, deps_.store.save(alert)); }

  void Report(std::string_view what, const Status& stored) const {
    if (!stored.ok()) deps_.logger.Error("{} could not be stored: {}", what, stored.message());
  }

  const std::vector<Rule> rules_;
  const Deps deps_;
  std::vector<std::string> groups_;  // in the order of the rules
  // Held while the store saves, so that what is stored is never older than what was.
  mutable std::mutex mu_;
  std::map<std::string, Watched> instances_ GUARDED_BY(mu_);
  SilenceList silences_ GUARDED_BY(mu_);
};

AlertEngine::AlertEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AlertEngine::~AlertEngine() = default;

Result<std::unique_ptr<AlertEngine>> AlertEngine::Create(const Json& rules, Deps deps) {
  ASSIGN_OR_RETURN(std::vector<Rule> loaded, LoadRules(rules));
  auto impl = std::make_unique<Impl>(std::move(loaded), std::move(deps));
  return std::unique_ptr<AlertEngine>(new AlertEngine(std::move(impl)));
}

Status AlertEngine::Restore() { return impl_->Restore(); }
std::vector<AlertEvent> AlertEngine::Observe(const monitor::Sample& sample) { return impl_->Observe(sample); }
Result<AlertEvent> AlertEngine::Ack(const std::string& id) { return impl_->Ack(id); }
Result<SilenceChange> AlertEngine::AddSilence(Silence silence) { return impl_->AddSilence(std::move(silence)); }
Result<std::vector<AlertEvent>> AlertEngine::RemoveSilence(const std::string& id) { return impl_->RemoveSilence(id); }
std::vector<Silence> AlertEngine::Silences() const { return impl_->Silences(); }
std::vector<AlertEvent> AlertEngine::Forget(const std::string& instance) { return impl_->Forget(instance); }
Json AlertEngine::NotObservable(const std::string& instance) const { return impl_->NotObservable(instance); }

std::vector<Alert> AlertEngine::List(const std::string& instance, bool include_resolved, size_t limit) const {
  return impl_->List(instance, include_resolved, limit);
}

std::vector<Alert> AlertEngine::Firing(const std::string& instance) const {
  std::vector<Alert> firing = impl_->List(instance, false, SIZE_MAX);
  std::erase_if(firing, [](const Alert& alert) { return alert.state == State::kPending; });
  return firing;
}

std::optional<Alert> AlertEngine::Get(const std::string& id) const {
  for (Alert& alert : impl_->List("", true, 1000)) {
    if (alert.id == id) return std::move(alert);
  }
  return std::nullopt;
}

Status AlertEngine::SetThresholds(const std::string& instance, const Thresholds& changes) {
  return impl_->SetThresholds(instance, changes);
}

Status AlertEngine::ResetThresholds(const std::string& instance) { return impl_->ResetThresholds(instance); }
Thresholds AlertEngine::ThresholdsOf(const std::string& instance) const { return impl_->ThresholdsOf(instance); }
const std::vector<Rule>& AlertEngine::rules() const { return impl_->rules(); }

}  // namespace redoubt::alert
