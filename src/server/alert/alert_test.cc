#include "server/alert/alert_fixture.h"
#include "server/alert/expression.h"

namespace redoubt::alert {
namespace {

TEST_F(AlertTest, AnAbsentFieldIsNotObservableAndNeverFalse) {
  Feed("used_memory:99614720\n");
  ASSERT_EQ(SeverityOf("memory_usage"), kCritical);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(Feed(Without("used_memory")).empty());  // neither resolves
  EXPECT_EQ(SeverityOf("memory_usage"), kCritical);
  EXPECT_THAT(base::DumpJson(engine_->NotObservable("in_1")),
              testing::AllOf(testing::HasSubstr("memory_usage"), testing::HasSubstr("used_memory")));
  FeedFor(20);
  EXPECT_FALSE(Firing("memory_usage"));
}

TEST_F(AlertTest, WhileTheServerIsAwayOtherAlertsStayAsTheyWere) {
  Feed("used_memory:99614720\n");
  for (int i = 0; i < 10; ++i) Feed(Away(ProbeFailure::kRefused));
  EXPECT_EQ(SeverityOf("memory_usage"), kCritical);
  EXPECT_EQ(SeverityOf("server_unreachable"), kCritical);
}

TEST_F(AlertTest, AcknowledgingKeepsItQuietUntilItGetsWorse) {
  Feed("used_memory:84934656\n");
  std::string id = Firing("memory_usage")->id;
  auto acked = engine_->Ack(id);
  ASSERT_TRUE(acked.ok());
  EXPECT_EQ(acked->alert.state, State::kAcknowledged);
  EXPECT_TRUE(acked->alert.acked_at_ms);
  EXPECT_TRUE(engine_->Ack(id).ok());  // twice is no error
  EXPECT_TRUE(Feed("used_memory:84934656\n").empty());
  auto events = Feed("used_memory:99614720\n");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].change, Change::kEscalated);
  EXPECT_EQ(events[0].alert.state, State::kFiring);
  FeedFor(30);
  EXPECT_EQ(engine_->Ack(id).status().code(), base::StatusCode::kFailedPrecondition);
  EXPECT_EQ(engine_->Ack("al_unknown").status().code(), base::StatusCode::kNotFound);
}

TEST_F(AlertTest, FiringAlertsSurviveARestartOfRedoubt) {
  Feed("used_memory:99614720\n");
  std::string id = Firing("memory_usage")->id;
  Begin();
  ASSERT_TRUE(engine_->Restore().ok());
  ASSERT_TRUE(Firing("memory_usage"));
  EXPECT_EQ(Firing("memory_usage")->id, id);
  EXPECT_TRUE(Feed("used_memory:99614720\n").empty());  // goes on, not anew
  auto events = FeedFor(30);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().change, Change::kResolved);
  EXPECT_EQ(events.back().alert.id, id);
  Begin();
  ASSERT_TRUE(engine_->Restore().ok());
  EXPECT_TRUE(engine_->Firing("").empty());
}

// A warning of one metric and a critical one of another must both be settable: only what is one scale is compared.
TEST_F(AlertTest, EveryDefaultThresholdOfTheProductCanBeSetToItself) {
  for (const Rule& rule : engine_->rules()) {
    Json set = Json::object();
    for (const Condition& condition : rule.conditions) {
      if (condition.format != "state") set[condition.name] = condition.threshold;
    }
    Json by_rule = Json::object();
    by_rule[rule.id] = set;
    ThresholdsRead read = ReadThresholds(engine_->rules(), by_rule);
    EXPECT_FALSE(read.fault) << rule.id << ": " << read.fault->message.en;
    EXPECT_FALSE(rule.description.ko.empty()) << rule.id;
  }
}

TEST_F(AlertTest, EveryGroupOfSeveralRulesHasATitleForItsSilences) {
  std::map<std::string, int> rules;
  for (const Rule& rule : engine_->rules()) ++rules[rule.group];
  for (const Rule& rule : engine_->rules()) {
    EXPECT_TRUE(rules[rule.group] == 1 || rule.group_title.ko != rule.group) << rule.id;
  }
}

TEST_F(AlertTest, ForgettingAnInstanceResolvesItsAlerts) {
  Feed("used_memory:99614720\n");
  auto events = engine_->Forget("in_1");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].alert.state, State::kResolved);
  EXPECT_TRUE(engine_->Firing("in_1").empty());
}

TEST_F(AlertTest, AHoldShowsAsPendingFirst) {
  const std::string fragmented =
      "used_memory:209715200\nmaxmemory:0\nallocator_frag_ratio:1.8\nallocator_frag_bytes:104857600\n";
  auto events = Feed(fragmented);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].change, Change::kPending);
  std::string id = events[0].alert.id;
  events = FeedFor(150, fragmented);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].change, Change::kFiring);
  EXPECT_EQ(events[0].alert.id, id);
}

TEST(AlertRecord, ComesBackWhole) {
  Alert alert;
  alert.id = "al_1";
  alert.instance = "in_1";
  alert.group = alert.rule = "memory";
  alert.severity = Severity::kCritical;
  alert.state = State::kAcknowledged;
  alert.value = 95.5;
  alert.message = {"가", "a"};
  alert.findings = {{"memory_usage", Severity::kCritical, "m", 1, 2, {"나", "b"}}};
  alert.acked_at_ms = 5;
  auto back = FromRecord(ToRecord(alert));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(base::DumpJson(ToRecord(*back)), base::DumpJson(ToRecord(alert)));
  EXPECT_EQ(ToJson(alert, Lang::kKo)["message"], "가");
  EXPECT_TRUE(ToJson(alert, Lang::kEn)["resolved_at"].is_null());
  EXPECT_FALSE(FromRecord(Json::object()).ok());
}

TEST(AlertRules, RefusesWhatCannotBeRightAndNamesTheRule) {
  auto error = [](const char* condition) {
    auto document = base::ParseJson(std::string(R"({"rules":[{"id":"r","title":{"ko":"a","en":"b"},"conditions":[)") +
                                    condition + "]}]}");
    EXPECT_TRUE(document.ok());
    auto rules = LoadRules(*document);
    return rules.ok() ? std::string("accepted") : rules.status().message();
  };
  const std::string good = R"("severity":"warning","metric":"m","message":{"ko":"a","en":"b"})";
  EXPECT_EQ(error(("{" + good + R"(,"value":"x"})").c_str()), "accepted");
  EXPECT_THAT(error(("{" + good + R"(,"value":"x +"})").c_str()), testing::HasSubstr("'r'"));
  EXPECT_THAT(error(("{" + good + R"(,"value":"x","treshold":1})").c_str()), testing::HasSubstr("treshold"));
  EXPECT_THAT(error(("{" + good + R"(,"value":"x","threshold":1,"clear":2})").c_str()), testing::HasSubstr("clear"));
  EXPECT_THAT(error(("{" + good + "}").c_str()), testing::HasSubstr("value"));
}

TEST(AlertExpression, RefusesBadFormulas) {
  for (const char* text : {"", "1 +", "(1", "delta(x)", "delta(x, 0)", "delta(x, 99999)", "nosuch(x)", "'open", "a b",
                           "1 && ", "errors(OOM)", "config()", "a = b"}) {
    EXPECT_FALSE(Expression::Parse(text).ok()) << text;
  }
  EXPECT_FALSE(Expression::Parse(std::string(100, '(') + "1").ok());
  EXPECT_FALSE(Expression::Parse(std::string(1000, '!') + "1").ok());
}

TEST(AlertFormat, WritesNumbersAsPeopleDo) {
  EXPECT_EQ(FormatValue(85.24, "percent", Lang::kKo), "85.2%");
  EXPECT_EQ(FormatValue(80, "percent", Lang::kKo), "80%");
  EXPECT_EQ(FormatValue(1234567, "count", Lang::kEn), "1,234,567");
  EXPECT_EQ(FormatValue(30, "seconds", Lang::kKo), "30초");
  EXPECT_EQ(FormatValue(1572864, "bytes", Lang::kEn), "1.5 MB");
}

}  // namespace
}  // namespace redoubt::alert
