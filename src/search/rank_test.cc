#include "search/rank.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redoubt::search {
namespace {

class RankTest : public testing::Test {
 protected:
  RankTest() {
    plan_.query.knn.emplace();
    plan_.query.knn->k = 3;
    outcome_.candidates = true;
    for (const char* key : {"4", "2", "gone", "1", "3"}) outcome_.documents.emplace_back().key = key;
  }

  // A document's distance is its name; "gone" has none. The keys of the answer in order.
  std::vector<std::string> Rank() {
    RankCandidates(
        plan_,
        [](const FoundDocument& document) {
          return document.key == "gone" ? std::nullopt : std::optional<double>(std::stod(document.key));
        },
        outcome_);
    std::vector<std::string> keys;
    for (const FoundDocument& document : outcome_.documents) keys.push_back(document.key);
    return keys;
  }

  using Keys = std::vector<std::string>;
  SearchPlan plan_;
  SearchOutcome outcome_;
};

TEST_F(RankTest, KeepsTheKNearestAndDropsWhatIsGone) {
  EXPECT_EQ(Rank(), (Keys{"1", "2", "3"}));
  EXPECT_EQ(outcome_.total, 3u);
  EXPECT_EQ(outcome_.documents[1].distance, 2);
}

TEST_F(RankTest, CutsToTheLimitAfterRanking) {
  plan_.offset = 1;
  plan_.limit = 1;
  EXPECT_EQ(Rank(), (Keys{"2"}));
  EXPECT_EQ(outcome_.total, 3u);
}

TEST_F(RankTest, AnOffsetBeyondTheEndShowsNothing) {
  plan_.offset = 9;
  EXPECT_EQ(Rank(), Keys{});
}

TEST_F(RankTest, SortsTheKNearestByTheirField) {
  plan_.sort = SortKind::kField;
  plan_.ascending = false;
  outcome_.documents[1].sort_key = 5.0;  // "2"
  outcome_.documents[3].sort_key = 7.0;  // "1"; "3" has none and comes last
  outcome_.documents[0].sort_key = 9.0;  // "4" is not among the nearest
  EXPECT_EQ(Rank(), (Keys{"1", "2", "3"}));
}

// Codes that are wrong by at most 0.5, 100 documents: those that may be among the nearest are a few more than k.
TEST_F(RankTest, MeasuresOnlyWhatMayBeAmongTheNearest) {
  outcome_.documents.clear();
  for (int i = 0; i < 100; ++i) {
    FoundDocument& document = outcome_.documents.emplace_back();
    document.key = std::to_string(i % 2 == 0 ? i + 0.5 : i - 0.5);
    document.distance = i;
  }
  plan_.query.knn->k = 10;
  size_t measured = 0;
  RankCandidates(
      plan_,
      [&](const FoundDocument& document) {
        ++measured;
        return std::optional<double>(std::stod(document.key));
      },
      outcome_);
  EXPECT_GE(measured, 10u);
  EXPECT_LE(measured, 14u);
  ASSERT_EQ(outcome_.documents.size(), 10u);
  EXPECT_EQ(outcome_.documents[9].distance, 8.5);
}

TEST_F(RankTest, MeasuresInPartsWhatItWouldAtOnce) {
  CandidateRanking ranking(plan_, outcome_);
  size_t measured = 0;
  size_t parts = 0;
  auto measure = [&](const FoundDocument& document) {
    ++measured;
    return document.key == "gone" ? std::nullopt : std::optional<double>(std::stod(document.key));
  };
  for (bool done = false; !done; ++parts) {
    done = ranking.MeasureSome(measure, [&] { return measured % 2 == 0; });
  }
  ranking.Finish();
  EXPECT_EQ(measured, 5u);
  EXPECT_EQ(parts, 3u);
  ASSERT_EQ(outcome_.documents.size(), 3u);
  EXPECT_EQ(outcome_.documents[0].key, "1");
  EXPECT_EQ(outcome_.documents[2].key, "3");
  EXPECT_FALSE(outcome_.candidates);
}

TEST_F(RankTest, LeavesAnAnswerAlone) {
  outcome_.candidates = false;
  EXPECT_EQ(Rank().size(), 5u);
}

}  // namespace
}  // namespace redoubt::search
