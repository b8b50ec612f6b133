#include "search/merge.h"

#include <gtest/gtest.h>

namespace redoubt::search {
namespace {

FoundDocument Found(std::string key, double distance, SortKey sort_key = {}, double score = 0) {
  FoundDocument document;
  document.key = std::move(key);
  document.distance = distance;
  document.sort_key = std::move(sort_key);
  document.score = score;
  return document;
}

SearchOutcome Shard(size_t total, std::vector<FoundDocument> documents) {
  SearchOutcome outcome;
  outcome.total = total;
  outcome.documents = std::move(documents);
  return outcome;
}

std::string Keys(const SearchOutcome& outcome) {
  std::string keys;
  for (const FoundDocument& document : outcome.documents) keys += document.key;
  return keys;
}

SearchPlan Knn(size_t k) {
  SearchPlan plan;
  plan.query.knn.emplace();
  plan.query.knn->k = k;
  return plan;
}

TEST(MergeTest, KeepsTheNearestOfAllShards) {
  const SearchOutcome merged = MergeOutcomes(
      Knn(3), {Shard(3, {Found("a", 1), Found("d", 4), Found("e", 5)}), Shard(2, {Found("b", 2), Found("c", 3)})});
  EXPECT_EQ(Keys(merged), "abc");
  EXPECT_EQ(merged.total, 3u);
}

TEST(MergeTest, ChoosesTheNearestBeforeItSortsByAField) {
  SearchPlan plan = Knn(2);
  plan.sort = SortKind::kField;
  plan.ascending = false;
  const SearchOutcome merged =
      MergeOutcomes(plan, {Shard(2, {Found("a", 1, 10.0), Found("c", 3, 99.0)}), Shard(1, {Found("b", 2, 20.0)})});
  EXPECT_EQ(Keys(merged), "ba");
}

TEST(MergeTest, CutsToTheLimitOfTheWhole) {
  SearchPlan plan;
  plan.sort = SortKind::kField;
  plan.offset = 1;
  plan.limit = 2;
  const SearchOutcome merged = MergeOutcomes(
      plan, {Shard(50, {Found("a", 0, 1.0), Found("c", 0, 3.0)}), Shard(7, {Found("b", 0, 2.0), Found("x", 0)})});
  EXPECT_EQ(Keys(merged), "bc");
  EXPECT_EQ(merged.total, 57u);
}

TEST(MergeTest, OrdersWordsByScoreAndKeepsTheOrderOfEquals) {
  SearchPlan plan;
  plan.sort = SortKind::kScore;
  const SearchOutcome merged = MergeOutcomes(plan, {Shard(2, {Found("b", 0, {}, 2), Found("c", 0, {}, 1)}),
                                                    Shard(2, {Found("a", 0, {}, 3), Found("d", 0, {}, 1)})});
  EXPECT_EQ(Keys(merged), "abcd");
}

TEST(MergeTest, SaysThatAShardRanOutOfTime) {
  SearchOutcome late;
  late.timed_out = true;
  EXPECT_TRUE(MergeOutcomes(SearchPlan(), {Shard(0, {}), std::move(late)}).timed_out);
  EXPECT_TRUE(MergeOutcomes(SearchPlan(), {}).documents.empty());
}

TEST(MergeTest, AShardIsAskedForWhatTheWholeMayNeed) {
  SearchPlan plan;
  plan.offset = 20;
  plan.limit = 5;
  MakeShardPlan(plan);
  EXPECT_EQ(plan.offset, 0u);
  EXPECT_EQ(plan.limit, 25u);
  SearchPlan knn = Knn(100);
  knn.sort = SortKind::kField;
  MakeShardPlan(knn);
  EXPECT_EQ(knn.limit, 100u);
}

}  // namespace
}  // namespace redoubt::search
