#include "text/bm25_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace redoubt::text {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint32_t> Docs(const std::vector<Scored>& hits) {
  std::vector<uint32_t> docs;
  for (const Scored& hit : hits) docs.push_back(hit.doc);
  return docs;
}

class Bm25IndexTest : public ::testing::Test {
 protected:
  void AddThreeIncidents() {
    index_.Add(1, "maxmemory reached, writes refused with OOM");
    index_.Add(2, "replica lags behind its primary, the replication backlog is too small");
    index_.Add(3, "복제 지연: 복제본이 마스터보다 뒤처져 있습니다");
  }

  Bm25Index index_;
};

TEST_F(Bm25IndexTest, RanksTheDocumentThatHoldsTheWords) {
  AddThreeIncidents();
  EXPECT_THAT(Docs(index_.Search("refusing a write", 10)), ElementsAre(1));
  EXPECT_THAT(Docs(index_.Search("복제가 지연됩니다", 10)), ElementsAre(3));
  EXPECT_THAT(index_.Search("kubernetes", 10), IsEmpty());
}

TEST_F(Bm25IndexTest, ScoreIsTheFormula) {
  index_.Add(1, "alpha beta");
  index_.Add(2, "beta beta gamma delta");
  const std::vector<Scored> hits = index_.Search("gamma", 10);
  ASSERT_EQ(hits.size(), 1u);
  const double idf = std::log(1.0 + (2 - 1 + 0.5) / (1 + 0.5));
  const double length = 4.0 / 3.0;
  EXPECT_NEAR(hits[0].score, idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * length)), 1e-9);
}

TEST_F(Bm25IndexTest, RareTermsWeighMoreThanCommonOnes) {
  index_.Add(1, "redis memory");
  index_.Add(2, "redis cluster");
  index_.Add(3, "redis memory");
  const std::vector<Scored> hits = index_.Search("redis cluster", 10);
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0].doc, 2u);
  EXPECT_GT(hits[0].score, 2 * hits[1].score);
}

TEST_F(Bm25IndexTest, WeightOfAFieldLiftsItsTerms) {
  index_.Add(1, "fragmentation", 3.0f);
  index_.Add(1, "ratio of resident and used memory");
  index_.Add(2, "fragmentation");
  index_.Add(2, "ratio of resident and used memory");
  EXPECT_THAT(Docs(index_.Search("fragmentation", 2)), ElementsAre(1, 2));
}

TEST_F(Bm25IndexTest, KeepsTheBestKInOrder) {
  AddThreeIncidents();
  index_.Add(4, "replication backlog");
  const std::vector<Scored> all = index_.Search("replication backlog replica", 10);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_GE(all[0].score, all[1].score);
  EXPECT_THAT(Docs(index_.Search("replication backlog replica", 1)), ElementsAre(all[0].doc));
  EXPECT_THAT(index_.Search("replication", 0), IsEmpty());
}

TEST_F(Bm25IndexTest, NoScorePassesTheMaximum) {
  AddThreeIncidents();
  for (const char* query : {"replication backlog", "복제 지연", "backlog kubernetes"}) {
    const std::vector<Scored> hits = index_.Search(query, 1);
    ASSERT_FALSE(hits.empty());
    EXPECT_LT(hits[0].score, index_.MaxScore(query)) << query;
  }
  for (int i = 0; i < 1000; ++i) index_.Add(4, "sentinel");
  EXPECT_NEAR(index_.Search("sentinel", 1)[0].score / index_.MaxScore("sentinel"), 1.0, 0.01);
  // A word that no document holds lowers the share that is covered.
  EXPECT_GT(index_.MaxScore("backlog kubernetes"), index_.MaxScore("backlog"));
}

TEST_F(Bm25IndexTest, EqualScoresComeInOrderOfNumber) {
  for (uint32_t doc : {7u, 3u, 5u}) index_.Add(doc, "same words here");
  EXPECT_THAT(Docs(index_.Search("words", 10)), ElementsAre(3, 5, 7));
}

TEST_F(Bm25IndexTest, RemovedDocumentIsNoLongerFound) {
  AddThreeIncidents();
  EXPECT_TRUE(index_.Remove(1));
  EXPECT_FALSE(index_.Remove(1));
  EXPECT_THAT(index_.Search("maxmemory", 10), IsEmpty());
  EXPECT_EQ(index_.size(), 2u);
}

TEST_F(Bm25IndexTest, RemovalLeavesTheIndexAsIfItHadNeverBeen) {
  AddThreeIncidents();
  const size_t terms = index_.term_count();
  const std::vector<Scored> before = index_.Search("replica 복제 maxmemory", 10);
  index_.Add(9, "replica replica 복제 maxmemory and words of its own");
  ASSERT_GT(index_.term_count(), terms);
  index_.Remove(9);
  EXPECT_EQ(index_.term_count(), terms);
  const std::vector<Scored> after = index_.Search("replica 복제 maxmemory", 10);
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].doc, before[i].doc);
    EXPECT_NEAR(after[i].score, before[i].score, 1e-9);
  }
}

TEST_F(Bm25IndexTest, EmptyIndexAndEmptyTextsAnswerNothing) {
  EXPECT_THAT(index_.Search("anything", 5), IsEmpty());
  index_.Add(1, "");
  EXPECT_EQ(index_.size(), 1u);
  EXPECT_THAT(index_.Search("", 5), IsEmpty());
  EXPECT_THAT(index_.Search("anything", 5), IsEmpty());
}

}  // namespace
}  // namespace redoubt::text
