#include "server/kb/condition.h"

#include <gtest/gtest.h>

#include <map>

namespace redoubt::kb {
namespace {

class Fields : public FieldSource {
 public:
  std::map<std::string, FieldValue, std::less<>> now, before;
  std::optional<double> seconds;

  void Set(const std::string& name, double value) { now[name] = {std::to_string(static_cast<long>(value)), value}; }
  void Was(const std::string& name, double value) { before[name] = {std::to_string(static_cast<long>(value)), value}; }
  std::optional<FieldValue> Now(std::string_view field) const override { return Find(now, field); }
  std::optional<FieldValue> Before(std::string_view field) const override { return Find(before, field); }
  std::optional<double> SecondsBetween() const override { return seconds; }

 private:
  static std::optional<FieldValue> Find(const auto& map, std::string_view field) {
    auto it = map.find(field);
    return it == map.end() ? std::nullopt : std::optional(it->second);
  }
};

using Truth = Condition::Truth;

Condition::Outcome Evaluate(std::string_view text, const Fields& fields) {
  auto condition = Condition::Parse(text);
  EXPECT_TRUE(condition.ok()) << condition.status().message();
  return condition->Evaluate(fields);
}

TEST(ConditionTest, HoldsOverARatioAndNamesBothFields) {
  Fields fields;
  fields.Set("used_memory", 95);
  fields.Set("maxmemory", 100);
  auto outcome = Evaluate("used_memory / maxmemory >= 90%", fields);
  EXPECT_EQ(outcome.truth, Truth::kTrue);
  ASSERT_EQ(outcome.seen.size(), 2u);
  EXPECT_EQ(outcome.seen[0].field, "used_memory");
  EXPECT_EQ(outcome.seen[1].value, "100");
  EXPECT_EQ(outcome.seen[0].threshold, "used_memory / maxmemory >= 90%");
}

TEST(ConditionTest, AnUnreportedFieldIsUnknownAndNeverFalse) {
  Fields fields;
  fields.Set("maxmemory", 100);
  auto outcome = Evaluate("used_memory > 10 and maxmemory > 0", fields);
  EXPECT_EQ(outcome.truth, Truth::kUnknown);
  EXPECT_EQ(outcome.missing, std::vector<std::string>{"used_memory"});
  EXPECT_EQ(Evaluate("not (used_memory > 10)", fields).truth, Truth::kUnknown);
  EXPECT_EQ(Evaluate("used_memory > 10 and maxmemory == 0", fields).truth, Truth::kFalse);
}

TEST(ConditionTest, DeltaNeedsTwoObservationsAndSurvivesARestart) {
  Fields fields;
  fields.Set("errorstat_OOM.count", 9);
  EXPECT_EQ(Evaluate("delta(errorstat_OOM.count) > 0", fields).truth, Truth::kUnknown);
  fields.Was("errorstat_OOM.count", 3);
  fields.seconds = 60;
  auto outcome = Evaluate("delta(errorstat_OOM.count) > 0", fields);
  EXPECT_EQ(outcome.truth, Truth::kTrue);
  EXPECT_EQ(outcome.seen[0].field, "errorstat_OOM");
  fields.Was("errorstat_OOM.count", 50);
  EXPECT_EQ(Evaluate("delta(errorstat_OOM.count) > 0", fields).truth, Truth::kUnknown);
}

TEST(ConditionTest, ReadsUnitsTextAndHyphenatedSettings) {
  Fields fields;
  fields.Set("used_memory", 3 << 20);
  fields.now["maxmemory_policy"] = {"volatile-lru", std::nullopt};
  fields.Set("config.tcp-keepalive", 0);
  EXPECT_EQ(Evaluate("used_memory >= 3mb and maxmemory_policy ~ 'volatile'", fields).truth, Truth::kTrue);
  EXPECT_EQ(Evaluate("config.tcp-keepalive == 0", fields).truth, Truth::kTrue);
  EXPECT_EQ(Evaluate("used_memory - absent_before_7 > 2mb", fields).truth, Truth::kTrue);
}

TEST(ConditionTest, SaysWhereAConditionIsWrong) {
  EXPECT_NE(Condition::Parse("used_memory > ").status().message().find("expected a value at 14"), std::string::npos);
  EXPECT_NE(Condition::Parse("median(x) > 1").status().message().find("unknown function"), std::string::npos);
  EXPECT_FALSE(Condition::Parse("a > 1 b").ok());
  EXPECT_FALSE(Condition::Parse(std::string(5000, '(')).ok());
}

}  // namespace
}  // namespace redoubt::kb
