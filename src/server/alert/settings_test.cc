// Silences and thresholds of one instance: what they do to alerts, and that they outlive a restart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "server/alert/alert.h"
#include "server/alert/rule.h"

namespace redoubt::alert {
namespace {

using base::Json;
using base::Lang;
using monitor::Sample;
using Change = AlertEvent::Change;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kRules = R"({"rules": [
  {"id": "memory_usage", "group": "memory", "title": {"ko": "메모리 사용률", "en": "Memory used"}, "resolve_hold_s": 5,
   "conditions": [
     {"severity": "warning", "metric": "memory_percent", "format": "percent", "value": "memory_percent",
      "threshold": 80, "clear": 75, "message": {"ko": "{value}", "en": "{value} over {threshold}"}},
     {"severity": "critical", "metric": "memory_percent", "format": "percent", "value": "memory_percent",
      "threshold": 90, "clear": 87, "message": {"ko": "{value}", "en": "{value} over {threshold}"}}]},
  {"id": "writes_refused_oom", "group": "memory", "title": {"ko": "쓰기 거부", "en": "Writes refused"},
   "conditions": [{"severity": "critical", "metric": "oom", "value": "oom", "threshold": 1,
                   "message": {"ko": "{value}", "en": "{value}"}}]},
  {"id": "rdb_save_failed", "group": "persistence", "title": {"ko": "저장 실패", "en": "Save failed"},
   "conditions": [{"severity": "critical", "metric": "status", "format": "state", "value": "save != 'ok'",
                   "message": {"ko": "실패", "en": "failed"}}]}
]})";

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() { Begin(); }

  // What redoubt's start does.
  void Begin() {
    AlertEngine::Deps deps;
    deps.clock = &clock_;
    deps.store = store_;
    auto engine = AlertEngine::Create(*base::ParseJson(kRules), std::move(deps));
    ASSERT_TRUE(engine.ok()) << engine.status().message();
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->Restore().ok());
  }

  std::vector<Change> Feed(int percent, int oom = 0, const std::string& instance = "in_1", bool saved = true) {
    Sample sample;
    sample.instance = instance;
    sample.at_ms = clock_.WallMillis();
    sample.reachable = true;
    sample.info.Set("memory_percent", std::to_string(percent));
    sample.info.Set("oom", std::to_string(oom));
    sample.info.Set("save", saved ? "ok" : "err");
    std::vector<Change> changes = ChangesOf(engine_->Observe(sample));
    clock_.AdvanceMillis(5000);
    return changes;
  }
  static std::vector<Change> ChangesOf(const std::vector<AlertEvent>& events) {
    std::vector<Change> changes;
    for (const AlertEvent& event : events) changes.push_back(event.change);
    return changes;
  }

  // The id of the new silence; the changes it made are in `changes_`.
  std::string Silence(const std::string& rule, int seconds, const std::string& instance = "in_1") {
    alert::Silence silence;
    silence.instance = instance;
    silence.rule = rule;
    silence.until_ms = clock_.WallMillis() + seconds * 1000;
    auto change = engine_->AddSilence(silence);
    EXPECT_TRUE(change.ok()) << change.status().message();
    changes_ = change.ok() ? ChangesOf(change->events) : std::vector<Change>{};
    return change.ok() ? change->silence.id : "";
  }
  bool IsSilenced(const std::string& instance = "in_1") {
    std::vector<Alert> firing = engine_->Firing(instance);
    EXPECT_EQ(firing.size(), 1u);
    return !firing.empty() && firing[0].silenced();
  }

  ThresholdsRead Read(const std::string& json) { return ReadThresholds(engine_->rules(), *base::ParseJson(json)); }
  void Set(const std::string& json, const std::string& instance = "in_1") {
    ThresholdsRead read = Read(json);
    ASSERT_FALSE(read.fault) << read.fault->message.en;
    ASSERT_TRUE(engine_->SetThresholds(instance, read.thresholds).ok());
  }
  std::string FaultOf(const std::string& json) {
    ThresholdsRead read = Read(json);
    if (!read.fault) return "";
    EXPECT_FALSE(read.fault->message.ko.empty());
    return read.fault->message.en + " " + read.fault->hint.en;
  }

  base::FakeClock clock_;
  AlertStore store_ = MemoryAlertStore();
  std::unique_ptr<AlertEngine> engine_;
  std::vector<Change> changes_;
};

TEST_F(SettingsTest, ASilenceMakesAFiringAlertQuietAtOnceAndEndingItPagesAgain) {
  EXPECT_THAT(Feed(85), ElementsAre(Change::kFiring));
  EXPECT_FALSE(IsSilenced());
  std::string id = Silence("memory_usage", 3600);
  EXPECT_THAT(changes_, ElementsAre(Change::kSilenced));
  EXPECT_TRUE(IsSilenced());
  EXPECT_THAT(Feed(85), IsEmpty());
  auto events = engine_->RemoveSilence(id);
  ASSERT_TRUE(events.ok());
  EXPECT_THAT(ChangesOf(*events), ElementsAre(Change::kUnsilenced));
  EXPECT_FALSE(IsSilenced());
  EXPECT_EQ(engine_->RemoveSilence(id).status().code(), base::StatusCode::kNotFound);
}

TEST_F(SettingsTest, AnAlertThatOutlastsItsSilencePagesAgain) {
  Silence("memory_usage", 12);
  EXPECT_THAT(Feed(85), ElementsAre(Change::kFiring));
  EXPECT_TRUE(IsSilenced());
  EXPECT_THAT(Feed(85), IsEmpty());
  EXPECT_THAT(Feed(85), IsEmpty());  // 10 s later
  EXPECT_FALSE(IsSilenced());        // 15 s later, and nobody had to ask the server first
  EXPECT_THAT(Feed(85), ElementsAre(Change::kUnsilenced));
  EXPECT_THAT(engine_->Silences(), IsEmpty());
  EXPECT_THAT(*store_.load_silences(), IsEmpty());
}

TEST_F(SettingsTest, ANewFaultUnderASilencedCauseIsHeard) {
  Silence("memory_usage", 3600);
  Feed(95);
  EXPECT_TRUE(IsSilenced());
  EXPECT_THAT(Feed(95, 3), ElementsAre(Change::kUnsilenced));  // one alert, now with writes refused as well
  EXPECT_FALSE(IsSilenced());
  Silence("writes_refused_oom", 60);
  EXPECT_TRUE(IsSilenced());
  EXPECT_EQ(engine_->Firing("in_1")[0].silenced_until_ms, engine_->Silences()[0].until_ms);  // the first that ends
}

TEST_F(SettingsTest, ASilenceKeepsToItsInstanceAndRule) {
  Silence("memory", 3600);  // the group
  Feed(85, 0, "in_1");
  Feed(85, 0, "in_2");
  EXPECT_TRUE(IsSilenced("in_1"));
  EXPECT_FALSE(IsSilenced("in_2"));
  Feed(10, 0, "in_3", false);
  EXPECT_FALSE(IsSilenced("in_3"));
  Silence("", 3600, "");
  EXPECT_TRUE(IsSilenced("in_2"));
  EXPECT_TRUE(IsSilenced("in_3"));
}

TEST_F(SettingsTest, SilencesOutliveARestartAndExpiredOnesDoNot) {
  Silence("memory_usage", 10);
  std::string id = Silence("memory_usage", 3600);
  Feed(85);
  clock_.AdvanceMillis(60'000);
  Begin();
  ASSERT_EQ(engine_->Silences().size(), 1u);
  EXPECT_EQ(engine_->Silences()[0].id, id);
  EXPECT_EQ(store_.load_silences()->size(), 1u);
  EXPECT_TRUE(IsSilenced());  // before any sample
  EXPECT_THAT(Feed(85), IsEmpty());
}

TEST_F(SettingsTest, ASilenceThatRanOutWhileRedoubtWasAwayPagesAgain) {
  Silence("memory_usage", 60);
  Feed(85);
  clock_.AdvanceMillis(120'000);
  Begin();
  EXPECT_THAT(Feed(85), ElementsAre(Change::kUnsilenced));
}

TEST_F(SettingsTest, ASilenceMustEndInTheFutureAndTheyAreBounded) {
  alert::Silence silence;
  silence.until_ms = clock_.WallMillis();
  EXPECT_EQ(engine_->AddSilence(silence).status().code(), base::StatusCode::kInvalidArgument);
  for (size_t i = 0; i < AlertEngine::kMaxSilences; ++i) Silence("memory", 60);
  silence.until_ms += 60'000;
  EXPECT_EQ(engine_->AddSilence(silence).status().code(), base::StatusCode::kFailedPrecondition);
  clock_.AdvanceMillis(61'000);
  silence.until_ms += 60'000;
  EXPECT_TRUE(engine_->AddSilence(silence).ok());
}

TEST_F(SettingsTest, AFullDiskIsNotTakenForAFullListOfSilences) {
  store_.save_silence = [](const alert::Silence&) { return base::ResourceExhausted("no space left on the disk"); };
  Begin();
  alert::Silence silence;
  silence.until_ms = clock_.WallMillis() + 60'000;
  EXPECT_EQ(engine_->AddSilence(silence).status().code(), base::StatusCode::kResourceExhausted);
}

TEST_F(SettingsTest, AThresholdAppliesToItsInstanceOnly) {
  Set(R"({"memory_usage": {"warning": 50, "critical": 60}})");
  EXPECT_THAT(Feed(55, 0, "in_1"), ElementsAre(Change::kFiring));
  EXPECT_EQ(engine_->Firing("in_1")[0].threshold, 50);
  EXPECT_THAT(Feed(55, 0, "in_2"), IsEmpty());
  EXPECT_THAT(Feed(61, 0, "in_1"), ElementsAre(Change::kEscalated));
}

TEST_F(SettingsTest, ARaisedThresholdResolvesTheAlertWithTheNextSample) {
  Feed(85);
  Set(R"({"memory_usage": {"warning": 88}})");  // 85 lies above 88's own clear value, but never was over 88
  EXPECT_THAT(Feed(85), ElementsAre(Change::kResolved));
  EXPECT_THAT(Feed(88), ElementsAre(Change::kFiring));
  EXPECT_THAT(Feed(85), IsEmpty());  // hysteresis as ever
}

TEST_F(SettingsTest, AHoldDelaysAndADisabledRuleIsStill) {
  Set(R"({"memory_usage": {"hold_s": 10}, "rdb_save_failed": {"enabled": false}})");
  EXPECT_THAT(Feed(85, 0, "in_1", false), ElementsAre(Change::kPending));
  EXPECT_THAT(Feed(85, 0, "in_1", false), IsEmpty());
  EXPECT_THAT(Feed(85, 0, "in_1", false), ElementsAre(Change::kFiring));
  EXPECT_EQ(engine_->Firing("in_1").size(), 1u);
}

TEST_F(SettingsTest, ThresholdsOutliveARestartAndKeepTheHysteresis) {
  Set(R"({"memory_usage": {"warning": 50, "hold_s": 0}, "writes_refused_oom": {"critical": 5}})");
  Set(R"({"writes_refused_oom": null})");  // the other rule stays
  Feed(55);
  Begin();
  EXPECT_EQ(engine_->ThresholdsOf("in_1").size(), 1u);
  EXPECT_THAT(Feed(48), IsEmpty());  // above 50 * 75 / 80
  EXPECT_EQ(engine_->Firing("in_1").size(), 1u);
  ASSERT_TRUE(engine_->ResetThresholds("in_1").ok());
  EXPECT_THAT(Feed(48), ElementsAre(Change::kResolved));
  EXPECT_THAT(*store_.load_thresholds(), IsEmpty());
}

TEST_F(SettingsTest, AStoredThresholdOfARuleThatIsGoneCostsOnlyItself) {
  Json record = *base::ParseJson(R"({"gone": {"warning": 1}, "memory_usage": {"warning": 50}})");
  ASSERT_TRUE(store_.save_thresholds("in_1", record).ok());
  Begin();
  EXPECT_THAT(Feed(55), ElementsAre(Change::kFiring));
}

TEST_F(SettingsTest, AnInstanceTakesItsThresholdsAndSilencesAlong) {
  Set(R"({"memory_usage": {"warning": 50}})");
  Set(R"({"memory_usage": {"warning": 60}})", "in_2");
  Silence("memory", 3600, "in_1");
  Silence("memory", 3600, "");
  Feed(55);
  EXPECT_THAT(ChangesOf(engine_->Forget("in_1")), ElementsAre(Change::kResolved));
  EXPECT_THAT(engine_->ThresholdsOf("in_1"), IsEmpty());
  Begin();
  EXPECT_THAT(engine_->ThresholdsOf("in_1"), IsEmpty());
  EXPECT_EQ(engine_->ThresholdsOf("in_2").size(), 1u);
  ASSERT_EQ(engine_->Silences().size(), 1u);
  EXPECT_EQ(engine_->Silences()[0].instance, "");
}

TEST_F(SettingsTest, AFaultNamesTheFieldAndTheFix) {
  EXPECT_THAT(FaultOf(R"({"no_rule": {}})"), HasSubstr("'rules.no_rule': there is no such rule"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"huge": 1}})"), HasSubstr("It takes: warning, critical, hold_s, enabled"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"warning": "70"}})"),
              HasSubstr("'rules.memory_usage.warning' must be a num"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"warning": 0}})"), HasSubstr("above 0 and at most 100"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"critical": 101}})"), HasSubstr("above 0 and at most 100"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"hold_s": 1.5}})"), HasSubstr("seconds from 0 to 86400"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"enabled": 1}})"), HasSubstr("true or false"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": 70})"), HasSubstr("an object, or null"));
  EXPECT_THAT(FaultOf(R"([])"), HasSubstr("'rules' must be an object"));
  EXPECT_THAT(FaultOf(R"({"rdb_save_failed": {"critical": 2}})"), HasSubstr("has no threshold to set"));
}

TEST_F(SettingsTest, AWarningBeyondTheCriticalThresholdIsRefused) {
  EXPECT_THAT(
      FaultOf(R"({"memory_usage": {"warning": 95}})"),
      HasSubstr("'rules.memory_usage.warning': the warning threshold (95%) lies beyond the critical one (90%)"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"warning": 95}})"),
              HasSubstr("Set the warning to 90% or less, or the critical threshold to 95% or more."));
  EXPECT_EQ(Read(R"({"memory_usage": {"warning": 95}})").fault->hint.ko,
            "경고 임계값을 90% 이하로 정하거나 위험 임계값을 95% 이상으로 정하세요.");
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"critical": 70}})"), HasSubstr("'rules.memory_usage.critical'"));
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"warning": 95, "critical": 97}})"), IsEmpty());
  EXPECT_THAT(FaultOf(R"({"memory_usage": {"warning": 90}})"), IsEmpty());
}

TEST_F(SettingsTest, TheViewShowsTheDefaultBesideWhatApplies) {
  Set(R"({"memory_usage": {"warning": 70, "hold_s": 30}})");
  Json view = ThresholdsView(engine_->rules(), engine_->ThresholdsOf("in_1"), Lang::kKo);
  ASSERT_EQ(view.size(), 3u);
  EXPECT_EQ(view[0]["title"], "메모리 사용률");
  EXPECT_EQ(view[0]["changed"], true);
  const Json& warning = view[0]["conditions"][0];
  EXPECT_EQ(warning["threshold"], 70);
  EXPECT_EQ(warning["default_threshold"], 80);
  EXPECT_EQ(warning["hold_s"], 30);
  EXPECT_EQ(warning["default_hold_s"], 0);
  EXPECT_EQ(view[0]["conditions"][1]["threshold"], 90);
  EXPECT_EQ(view[1]["changed"], false);
  EXPECT_EQ(view[2]["conditions"][0]["settable"], false);
}

TEST_F(SettingsTest, WhatIsSetToItsDefaultDoesNotCountAsChanged) {
  Set(R"({"memory_usage": {"warning": 80, "critical": 90, "hold_s": 0, "enabled": true}})");
  EXPECT_TRUE(engine_->ThresholdsOf("in_1").empty());
  EXPECT_EQ(ThresholdsView(engine_->rules(), engine_->ThresholdsOf("in_1"), Lang::kKo)[0]["changed"], false);
  Set(R"({"memory_usage": {"warning": 80, "critical": 91}})");
  EXPECT_EQ(ThresholdsView(engine_->rules(), engine_->ThresholdsOf("in_1"), Lang::kKo)[0]["changed"], true);
}

TEST(SilenceRecord, ComesBackWhole) {
  Silence silence{"si_1", "in_1", "memory", 5, 10, "점검"};
  auto back = FromSilenceRecord(ToRecord(silence));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(ToRecord(*back), ToRecord(silence));
  EXPECT_EQ(FromSilenceRecord(Json::object()).status().code(), base::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace redoubt::alert
