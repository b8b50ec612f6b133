#include "server/history/history.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/json.h"
#include "server/history/point_codec.h"
#include "server/history/records.h"
#include "server/history/series_builder.h"
#include "server/store/database.h"

namespace redoubt::history {
namespace {

using base::Json;

constexpr int64_t kBegin = 1'700'000'040'000;  // a whole minute

class HistoryTest : public testing::Test {
 protected:
  HistoryTest() {
    char folder[] = "/tmp/redoubt-test-XXXXXX";
    EXPECT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    Open();
  }
  ~HistoryTest() override {
    history_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  // As after a stop of the process.
  void Open() {
    history_.reset();
    database_.reset();
    auto database = store::Database::Open(folder_ + "/redoubt.db", base::Logger());
    ASSERT_TRUE(database.ok()) << database.status().message();
    database_ = std::move(*database);
    auto history = History::Open(*database_, base::Logger());
    ASSERT_TRUE(history.ok()) << history.status().message();
    history_ = std::move(*history);
  }
  void Append(int64_t at_ms, double memory, bool reachable = true) {
    Point point{"in_1", at_ms, reachable, 5000, {}};
    if (reachable) point.values = {{"memory", memory}, {"clients", memory * 2}};
    history_->Append(std::move(point));
  }
  SeriesSet Range(int64_t from_ms, int64_t to_ms, int64_t step_ms = 0) {
    EXPECT_TRUE(history_->Flush().ok());
    RangeQuery query{"in_1", {"memory", "clients", "absent"}, from_ms, to_ms, step_ms, 600};
    auto set = history_->Range(query);
    EXPECT_TRUE(set.ok()) << set.status().message();
    return set.ok() ? *set : SeriesSet{};
  }

  std::string folder_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<History> history_;
};

TEST_F(HistoryTest, GivesBackWhatWasAppended) {
  for (int i = 0; i < 10; ++i) Append(kBegin + i * 5000, i);
  SeriesSet set = Range(kBegin, kBegin + 50'000);
  ASSERT_EQ(set.times_ms.size(), 10u);
  EXPECT_EQ(set.times_ms[3], kBegin + 15'000);
  EXPECT_EQ(set.series["memory"][3], 3);
  EXPECT_EQ(set.series["clients"][3], 6);
  EXPECT_EQ(set.series["absent"][3], std::nullopt);
  EXPECT_TRUE(set.gaps.empty());
}

TEST_F(HistoryTest, AveragesWithinAStep) {
  for (int i = 0; i < 12; ++i) Append(kBegin + i * 5000, i);
  SeriesSet set = Range(kBegin, kBegin + 60'000, 30'000);
  ASSERT_EQ(set.times_ms.size(), 2u);
  EXPECT_EQ(set.step_ms, 30'000);
  EXPECT_EQ(set.series["memory"][0], 2.5);
  EXPECT_EQ(set.series["memory"][1], 8.5);
}

TEST_F(HistoryTest, ASlowPollLeavesNoHoles) {
  // Steps of one second over samples of five: a line, not dots.
  for (int i = 0; i < 12; ++i) Append(kBegin + i * 5000, i);
  SeriesSet set = Range(kBegin, kBegin + 60'000, 1000);
  EXPECT_EQ(set.times_ms.size(), 12u);
  for (const auto& value : set.series["memory"]) EXPECT_TRUE(value);
}

TEST_F(HistoryTest, AnUnreachableServerLeavesAGapWithItsReason) {
  for (int i = 0; i < 20; ++i) Append(kBegin + i * 5000, i, i < 5 || i >= 15);
  SeriesSet set = Range(kBegin, kBegin + 100'000);
  ASSERT_EQ(set.gaps.size(), 1u);
  EXPECT_EQ(set.gaps[0].reason, GapReason::kUnreachable);
  EXPECT_EQ(set.gaps[0].from_ms, kBegin + 25'000);
  EXPECT_EQ(set.gaps[0].to_ms, kBegin + 75'000);
  EXPECT_EQ(set.times_ms.size(), 11u);  // ten seen, one break
  EXPECT_EQ(set.series["memory"][5], std::nullopt);
  EXPECT_EQ(set.series["memory"][6], 15);
}

TEST_F(HistoryTest, OurOwnStopLeavesAGapWithItsReason) {
  for (int i = 0; i < 5; ++i) Append(kBegin + i * 5000, i);
  Open();
  for (int i = 60; i < 65; ++i) Append(kBegin + i * 5000, i);
  SeriesSet set = Range(kBegin, kBegin + 325'000);
  ASSERT_EQ(set.gaps.size(), 1u);
  EXPECT_EQ(set.gaps[0].reason, GapReason::kStopped);
}

TEST_F(HistoryTest, AStoppedPollingLeavesAGapThatNobodyElseExplains) {
  for (int i = 0; i < 5; ++i) Append(kBegin + i * 5000, i);
  ASSERT_TRUE(history_->Flush().ok());
  for (int i = 60; i < 65; ++i) Append(kBegin + i * 5000, i);
  ASSERT_EQ(Range(kBegin, kBegin + 325'000).gaps.size(), 1u);
  EXPECT_EQ(Range(kBegin, kBegin + 325'000).gaps[0].reason, GapReason::kNotPolled);
}

TEST_F(HistoryTest, ALateEndIsAGapToo) {
  for (int i = 0; i < 5; ++i) Append(kBegin + i * 5000, i);
  SeriesSet set = Range(kBegin, kBegin + 600'000);
  ASSERT_EQ(set.gaps.size(), 1u);
  EXPECT_EQ(set.gaps[0].to_ms, kBegin + 600'000);
}

TEST_F(HistoryTest, OldPointsBecomeMinutesAndVeryOldOnesGo) {
  for (int i = 0; i < 720; ++i) Append(kBegin + i * 5000, i);  // an hour
  ASSERT_TRUE(history_->Flush().ok());
  const int64_t hours = 3'600'000;
  ASSERT_TRUE(history_->Compact(kBegin + 6 * hours + hours / 2).ok());
  SeriesSet set = Range(kBegin, kBegin + hours, 1000);
  EXPECT_EQ(set.times_ms.size(), 30u + 360u);  // half by the minute, half in full
  EXPECT_EQ(set.series["memory"][0], 5.5);
  EXPECT_TRUE(set.gaps.empty());
  ASSERT_TRUE(history_->Compact(kBegin + 8 * 24 * hours).ok());
  EXPECT_TRUE(Range(kBegin, kBegin + hours).times_ms.empty());
}

TEST_F(HistoryTest, ForgettingAnInstanceRemovesItsPoints) {
  Append(kBegin, 1);
  ASSERT_TRUE(history_->Forget("in_1").ok());
  EXPECT_TRUE(Range(kBegin, kBegin + 5000).times_ms.empty());
}

TEST_F(HistoryTest, RefusesRangesThatCannotBeRight) {
  EXPECT_FALSE(history_->Range({"in_1", {"memory"}, 5, 5, 0, 600}).ok());
  EXPECT_FALSE(history_->Range({"in_1", {}, 5, 6, 0, 600}).ok());
}

TEST_F(HistoryTest, KeepsTheMostPointsBelowTheLimit) {
  for (int64_t range_ms : {60'000L, 3'600'000L, 86'400'000L, 604'800'000L}) {
    EXPECT_LE(range_ms / ChooseStep(range_ms, 0, 600), 600);
    EXPECT_LE(range_ms / ChooseStep(range_ms, 1000, 600), 5000);
  }
}

TEST_F(HistoryTest, RecordsComeBackInOrderAfterARestart) {
  auto records = Records::Open(*database_);
  ASSERT_TRUE(records.ok());
  ASSERT_TRUE(records->Put("instance", "b", Json{{"n", 1}}).ok());
  ASSERT_TRUE(records->Put("instance", "a", Json{{"n", 2}}).ok());
  ASSERT_TRUE(records->Put("instance", "b", Json{{"n", 3}}).ok());  // keeps its place
  ASSERT_TRUE(records->Put("journal", "b", Json{{"n", 4}}).ok());
  Open();
  records = Records::Open(*database_);
  auto list = records->List("instance");
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0]["n"], 3);
  EXPECT_EQ((*list)[1]["n"], 2);
  ASSERT_TRUE(records->Delete("instance", "b").ok());
  EXPECT_EQ(records->List("instance")->size(), 1u);
  EXPECT_EQ(records->List("journal")->size(), 1u);
}

TEST_F(HistoryTest, AlertsAreFoundOpenAndRecent) {
  auto alerts = AlertTable::Open(*database_);
  ASSERT_TRUE(alerts.ok());
  ASSERT_TRUE(alerts->Save("1", "in_1", 10, true, Json{{"id", "1"}}).ok());
  ASSERT_TRUE(alerts->Save("2", "in_2", 20, true, Json{{"id", "2"}}).ok());
  ASSERT_TRUE(alerts->Save("1", "in_1", 10, false, Json{{"id", "1"}, {"done", true}}).ok());
  ASSERT_EQ(alerts->LoadOpen()->size(), 1u);
  EXPECT_EQ((*alerts->LoadOpen())[0]["id"], "2");
  ASSERT_EQ(alerts->LoadRecent("", 10)->size(), 2u);
  EXPECT_EQ((*alerts->LoadRecent("", 10))[0]["id"], "2");
  EXPECT_EQ(alerts->LoadRecent("in_1", 10)->size(), 1u);
  EXPECT_EQ(alerts->LoadRecent("", 1)->size(), 1u);
}

TEST(PointCodec, ComesBackAndIgnoresACutOffEnd) {
  MetricValues values = {{1, 0.5}, {65535, -1e300}};
  std::string bytes = EncodeValues(values);
  EXPECT_EQ(DecodeValues(bytes), values);
  bytes.pop_back();
  EXPECT_EQ(DecodeValues(bytes).size(), 1u);
}

}  // namespace
}  // namespace redoubt::history
