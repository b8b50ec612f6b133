#include "vector/hnsw_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace redoubt::vector {
namespace {

constexpr size_t kDim = 24;
constexpr size_t kClusters = 20;

// Vectors in clusters, their index, and the exact answers.
class HnswTest : public testing::Test {
 protected:
  void Make(Metric metric, Storage storage = Storage::kInt8, size_t m = 8) {
    HnswOptions options;
    options.dim = kDim;
    options.metric = metric;
    options.storage = storage;
    options.m = m;
    options.ef_construction = 80;
    index_ = *HnswIndex::Create(options);
    metric_ = metric;
    std::normal_distribution<float> normal;
    centres_.resize(kClusters * kDim);
    for (float& x : centres_) x = normal(random_);
  }

  std::vector<float> Sample(size_t cluster) {
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (size_t i = 0; i < kDim; ++i) vector[i] = centres_[cluster * kDim + i] + 0.6f * normal(random_);
    return vector;
  }

  // Id `id` is of cluster id % kClusters.
  void Put(Id id) {
    if (id >= vectors_.size()) vectors_.resize(id + 1);
    vectors_[id] = Sample(id % kClusters);
    ASSERT_TRUE(index_->Add(id, vectors_[id]).ok());
  }
  void PutMany(Id count) {
    for (Id id = 0; id < count; ++id) Put(id);
  }
  void Stage(Id id) {
    if (id >= vectors_.size()) vectors_.resize(id + 1);
    vectors_[id] = Sample(id % kClusters);
    ASSERT_TRUE(index_->Stage(id, vectors_[id]).ok());
  }
  void ConnectAll() {
    while (index_->ConnectStaged(100)) {
    }
  }
  void Remove(Id id) {
    EXPECT_EQ(index_->Remove(id), !vectors_[id].empty());
    vectors_[id].clear();
  }
  void RepairAll() {
    while (index_->Repair(100) != RepairProgress::kNone) {
    }
  }

  std::vector<Hit> Exact(const std::vector<float>& query, size_t k, const IdSet* filter) const {
    TopK best(k);
    for (Id id = 0; id < vectors_.size(); ++id) {
      if (vectors_[id].empty() || (filter != nullptr && !filter->Contains(id))) continue;
      best.Offer({id, Distance(metric_, query.data(), vectors_[id].data(), kDim)});
    }
    return best.Take();
  }

  // Of 20 queries, with re-ranking of 10. Each must have as many hits as there are.
  double Recall(size_t ef, const IdSet* filter = nullptr, std::optional<HnswPlan> plan = {}) {
    size_t right = 0;
    size_t wanted = 0;
    for (size_t q = 0; q < 20; ++q) {
      const std::vector<float> query = Sample(q % kClusters);
      const std::vector<Hit> want = Exact(query, 10, filter);
      HnswResult got = index_->Search({query, 10 + oversample_, ef, filter, nullptr, plan});
      plans_.insert(got.plan);
      const std::vector<Hit> hits = Rerank(metric_, query, got.hits, 10, [&](Id id) { return vectors_[id].data(); });
      EXPECT_EQ(hits.size(), want.size());
      std::set<Id> found;
      for (const Hit& hit : hits) found.insert(hit.id);
      for (const Hit& hit : want) right += found.count(hit.id);
      wanted += want.size();
    }
    return static_cast<double>(right) / static_cast<double>(wanted);
  }

  std::mt19937 random_{7};
  Metric metric_ = Metric::kL2;
  size_t oversample_ = 10;
  std::vector<float> centres_;
  std::vector<std::vector<float>> vectors_;
  std::unique_ptr<HnswIndex> index_;
  std::set<HnswPlan> plans_;
};

TEST_F(HnswTest, FindsTheNearestInEachMetricAndStorage) {
  for (Storage storage : kStorages) {
    oversample_ = storage == Storage::kInt4 ? 20 : storage == Storage::kBinary ? 90 : 10;
    for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
      vectors_.clear();
      Make(metric, storage);
      PutMany(2000);
      EXPECT_GE(Recall(50), 0.95) << MetricName(metric) << " " << StorageName(storage);
    }
  }
}

TEST_F(HnswTest, AnEmptyIndexAndOneVectorHaveTheirAnswers) {
  Make(Metric::kL2);
  const std::vector<float> query = Sample(0);
  EXPECT_TRUE(index_->Search({query, 10, 50, nullptr, nullptr}).hits.empty());
  EXPECT_FALSE(index_->Remove(3));
  Put(3);
  ASSERT_EQ(index_->Search({query, 10, 50, nullptr, nullptr}).hits.size(), 1u);
  EXPECT_EQ(index_->Search({query, 10, 50, nullptr, nullptr}).hits[0].id, 3u);
}

TEST_F(HnswTest, GivesAsManyAsThereAreWhenKIsLarge) {
  Make(Metric::kL2);
  PutMany(1500);
  HnswResult result = index_->Search({Sample(0), 5000, 10, nullptr, nullptr});
  EXPECT_EQ(result.hits.size(), 1500u);
  EXPECT_TRUE(std::is_sorted(result.hits.begin(), result.hits.end(),
                             [](const Hit& a, const Hit& b) { return a.distance < b.distance; }));
}

TEST_F(HnswTest, AReplacedVectorIsFoundAtItsNewPlaceOnly) {
  Make(Metric::kL2);
  PutMany(500);
  const std::vector<float> old = vectors_[7];
  vectors_[7].assign(kDim, 9.0f);
  ASSERT_TRUE(index_->Add(7, vectors_[7]).ok());
  EXPECT_EQ(index_->size(), 500u);
  EXPECT_EQ(index_->Search({vectors_[7], 1, 50, nullptr, nullptr}).hits[0].id, 7u);
  EXPECT_NE(index_->Search({old, 1, 50, nullptr, nullptr}).hits[0].id, 7u);
}

TEST_F(HnswTest, RefusesVectorsThatAreNotFiniteOrOfAnotherSize) {
  Make(Metric::kL2);
  PutMany(3);
  std::vector<float> vector = Sample(0);
  vector[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(index_->Add(1, vector).code(), base::StatusCode::kInvalidArgument);
  EXPECT_FALSE(index_->Contains(1));
  EXPECT_TRUE(index_->Search({vector, 3, 50, nullptr, nullptr}).hits.empty());
  vector.pop_back();
  EXPECT_EQ(index_->Add(1, vector).code(), base::StatusCode::kInvalidArgument);
}

TEST_F(HnswTest, RefusesOptionsOutOfRange) {
  EXPECT_FALSE(HnswIndex::Create({}).ok());
  HnswOptions options;
  options.dim = 4;
  EXPECT_TRUE(HnswIndex::Create(options).ok());
  options.m = 1;
  EXPECT_FALSE(HnswIndex::Create(options).ok());
  options.m = 16;
  options.centre = {1, 2};
  EXPECT_FALSE(HnswIndex::Create(options).ok());
}

TEST_F(HnswTest, RecallHoldsAtEverySelectivity) {
  Make(Metric::kL2);
  PutMany(6000);
  for (Id every : {1, 2, 4, 10, 20, 50, 300, 3000}) {
    IdSet filter(vectors_.size());
    for (Id id = 0; id < vectors_.size(); id += every) filter.Insert(id + id / every % every);
    EXPECT_GE(Recall(50, &filter), 0.95) << "one of " << every;
    EXPECT_GE(Recall(50, &filter, HnswPlan::kFilteredWalk), 0.95) << "one of " << every;
    EXPECT_GE(Recall(50, &filter, HnswPlan::kScan), 0.99) << "one of " << every;
  }
}

TEST_F(HnswTest, ATwoHopWalkFindsWhatFewMatch) {
  Make(Metric::kL2);
  PutMany(6000);
  for (Id every : {4, 6}) {
    IdSet filter(vectors_.size());
    for (Id id = 0; id < vectors_.size(); id += every) filter.Insert(id + id / every % every);
    EXPECT_GE(Recall(50, &filter, HnswPlan::kTwoHopWalk), 0.95) << "one of " << every;
    EXPECT_TRUE(plans_.count(HnswPlan::kTwoHopWalk)) << "one of " << every;
  }
}

TEST_F(HnswTest, ChoosesTheCheapestPlan) {
  Make(Metric::kL2, Storage::kInt8, 16);
  PutMany(8000);
  auto plan_for = [this](Id every) {
    IdSet filter(vectors_.size());
    for (Id id = 0; id < vectors_.size(); id += every) filter.Insert(id);
    return index_->Search({Sample(0), 1, 1, &filter, nullptr}).plan;
  };
  EXPECT_EQ(plan_for(1), HnswPlan::kFilteredWalk);
  EXPECT_EQ(plan_for(2), HnswPlan::kFilteredWalk);
  EXPECT_EQ(plan_for(10), HnswPlan::kTwoHopWalk);
  EXPECT_EQ(plan_for(100), HnswPlan::kScan);
}

// The worst filters for a walk: nothing that matches is near the query.
TEST_F(HnswTest, RecallHoldsWhereTheNearestClustersDoNotMatch) {
  Make(Metric::kL2);
  PutMany(6000);
  for (size_t matching : {1, 2, 5, 10, 15}) {
    IdSet filter(vectors_.size());
    for (Id id = 0; id < vectors_.size(); ++id) {
      if (id % kClusters < matching) filter.Insert(id);
    }
    EXPECT_GE(Recall(50, &filter), 0.95) << matching << " clusters";
  }
}

TEST_F(HnswTest, AFilterThatNothingMatchesHasNoHits) {
  Make(Metric::kL2);
  PutMany(300);
  IdSet none(300);
  EXPECT_TRUE(index_->Search({Sample(0), 10, 50, &none, nullptr}).hits.empty());
  IdSet beyond(1000);
  for (Id id = 300; id < 1000; ++id) beyond.Insert(id);
  EXPECT_TRUE(index_->Search({Sample(0), 10, 50, &beyond, nullptr}).hits.empty());
}

TEST_F(HnswTest, AStoppedSearchEnds) {
  Make(Metric::kL2);
  PutMany(6000);
  size_t asked = 0;
  HnswResult result = index_->Search({Sample(0), 10, 6000, nullptr, [&] { return ++asked > 0; }});
  EXPECT_EQ(asked, 1u);
  EXPECT_LT(result.measured, 6000u);
}

TEST_F(HnswTest, RemovedVectorsAreNotFoundBeforeAndAfterRepair) {
  Make(Metric::kL2);
  PutMany(2000);
  for (Id id = 0; id < 2000; id += 3) Remove(id);
  EXPECT_GE(Recall(50), 0.95);
  EXPECT_EQ(index_->removed(), 667u);
  RepairAll();
  EXPECT_EQ(index_->removed(), 0u);
  EXPECT_GE(Recall(50), 0.95);
}

TEST_F(HnswTest, PlacesOfRemovedVectorsAreUsedAgain) {
  Make(Metric::kL2);
  PutMany(2000);
  const size_t bytes = index_->memory_bytes();
  for (Id id = 0; id < 1000; ++id) Remove(id);
  RepairAll();
  for (Id id = 0; id < 1000; ++id) Put(id);
  EXPECT_LT(index_->memory_bytes(), bytes + bytes / 20);
  EXPECT_GE(Recall(50), 0.95);
}

TEST_F(HnswTest, RecallSurvivesTenTurnovers) {
  Make(Metric::kL2);
  PutMany(1000);
  const double before = Recall(40);
  for (int turnover = 0; turnover < 10; ++turnover) {
    for (Id id = 0; id < 1000; ++id) {
      Put(id);
      index_->Repair(200);
    }
  }
  EXPECT_GE(Recall(40), before - 0.005);
}

TEST_F(HnswTest, AnIndexEmptiedAndFilledAgainFindsEverything) {
  Make(Metric::kL2);
  for (bool repair : {false, true, false}) {
    PutMany(400);
    EXPECT_GE(Recall(50), 0.95);
    for (Id id = 0; id < 400; ++id) Remove(id);
    EXPECT_TRUE(index_->Search({Sample(0), 10, 50, nullptr, nullptr}).hits.empty());
    if (repair) RepairAll();
  }
}

TEST_F(HnswTest, ManyEqualVectorsAreAllFound) {
  Make(Metric::kL2);
  PutMany(200);
  vectors_.resize(700);
  for (Id id = 200; id < 700; ++id) {
    vectors_[id] = std::vector<float>(kDim, 1.0f);
    ASSERT_TRUE(index_->Add(id, vectors_[id]).ok());
  }
  HnswResult result = index_->Search({vectors_[300], 100, 100, nullptr, nullptr});
  ASSERT_EQ(result.hits.size(), 100u);
  for (const Hit& hit : result.hits) EXPECT_NEAR(hit.distance, 0, 1e-4);
}

TEST_F(HnswTest, StagedVectorsAreFoundBeforeAndAfterTheyAreLinked) {
  Make(Metric::kL2);
  PutMany(500);
  for (Id id = 500; id < 1000; ++id) Stage(id);
  EXPECT_EQ(index_->staged(), 500u);
  EXPECT_EQ(index_->size(), 1000u);
  EXPECT_GE(Recall(50), 0.97);
  ASSERT_TRUE(index_->ConnectStaged(200));
  EXPECT_EQ(index_->staged(), 300u);
  EXPECT_GE(Recall(50), 0.97);
  ConnectAll();
  EXPECT_EQ(index_->staged(), 0u);
  EXPECT_FALSE(index_->HasWork());
  EXPECT_GE(Recall(50), 0.95);
}

TEST_F(HnswTest, AnIndexOfStagedVectorsOnlyAnswers) {
  Make(Metric::kCosine);
  for (Id id = 0; id < 300; ++id) Stage(id);
  EXPECT_GE(Recall(10), 0.97);
  IdSet filter(300);
  for (Id id = 0; id < 300; id += 30) filter.Insert(id);
  EXPECT_EQ(index_->Search({Sample(0), 20, 20, &filter, nullptr}).hits.size(), 10u);
}

TEST_F(HnswTest, AStagedVectorMayBeReplacedAndRemoved) {
  Make(Metric::kL2);
  PutMany(300);
  for (Id id = 200; id < 600; ++id) Stage(id);  // 200..299 replace linked ones
  for (Id id = 400; id < 600; ++id) Stage(id);  // these replace staged ones
  for (Id id = 250; id < 500; ++id) Remove(id);
  EXPECT_EQ(index_->size(), 350u);
  EXPECT_GE(Recall(50), 0.95);
  ConnectAll();
  EXPECT_EQ(index_->size(), 350u);
  EXPECT_GE(Recall(50), 0.95);
  RepairAll();
  EXPECT_EQ(index_->removed(), 0u);
  EXPECT_GE(Recall(50), 0.95);
}

TEST_F(HnswTest, FilteredSearchesReadTheStagedToo) {
  Make(Metric::kL2);
  PutMany(2000);
  for (Id id = 2000; id < 2400; ++id) Stage(id);
  for (Id step : {2, 10, 50}) {
    IdSet filter(2400);
    for (Id id = 0; id < 2400; id += step) filter.Insert(id);
    EXPECT_GE(Recall(50, &filter), 0.95) << step;
  }
}

TEST(HnswMemoryTest, TakesAtMost320BytesPerVectorOf128) {
  HnswOptions options;
  options.dim = 128;
  options.ef_construction = 4;
  std::unique_ptr<HnswIndex> index = *HnswIndex::Create(options);
  std::mt19937 random(1);
  std::vector<float> vector(128);
  for (Id id = 0; id < 20000; ++id) {
    for (float& x : vector) x = static_cast<float>(random() % 1000);
    ASSERT_TRUE(index->Add(id, vector).ok());
  }
  EXPECT_LE(index->memory_bytes() / index->size(), 320u);
}

TEST(RerankTest, OrdersByTheVectorsAndDropsWhatIsGone) {
  const std::vector<std::vector<float>> vectors = {{3}, {1}, {}, {2}};
  const Hit hits[] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}};
  const float query[] = {0};
  std::vector<Hit> ranked =
      Rerank(Metric::kL2, query, hits, 2, [&](Id id) { return vectors[id].empty() ? nullptr : vectors[id].data(); });
  EXPECT_EQ(ranked, (std::vector<Hit>{{1, 1}, {3, 4}}));
}

TEST_F(HnswTest, AnswersAsIfOneWereNotInIt) {
  Make(Metric::kL2);
  PutMany(1000);
  size_t found = 0;
  for (Id id = 0; id < 1000; ++id) {
    HnswResult got = index_->Search({vectors_[id], 20, 20, nullptr, nullptr, {}, id});
    EXPECT_EQ(got.hits.size(), 20u);
    std::set<Id> hits;
    for (const Hit& hit : got.hits) hits.insert(hit.id);
    EXPECT_EQ(hits.count(id), 0u);
    for (const Hit& hit : Exact(vectors_[id], 11, nullptr)) found += hits.count(hit.id);
  }
  EXPECT_GE(static_cast<double>(found) / 10'000, 0.95);
}

// Without clusters an ef of 10 finds about half.
TEST_F(HnswTest, FindsTheEfThatARecallTakes) {
  auto never = [] { return false; };
  std::normal_distribution<float> normal;
  std::map<double, size_t> efs;
  for (double target : {0.5, 0.9, 0.99}) {
    HnswOptions options;
    options.dim = kDim;
    options.m = 8;
    options.ef_construction = 80;
    options.target_recall = target;
    index_ = *HnswIndex::Create(options);
    EXPECT_FALSE(index_->HasWork());
    vectors_.clear();
    for (Id id = 0; id < 3000; ++id) {
      std::vector<float>& vector = vectors_.emplace_back(kDim);
      for (float& x : vector) x = normal(random_);
      ASSERT_TRUE(index_->Add(id, vector).ok());
    }
    EXPECT_TRUE(index_->HasWork());
    EXPECT_EQ(index_->tuned_ef(), 0u);
    EXPECT_TRUE(index_->Tune(never));
    EXPECT_FALSE(index_->Tune(never));  // nothing has changed
    EXPECT_FALSE(index_->HasWork());
    efs[target] = index_->tuned_ef();
    size_t found = 0;
    for (size_t q = 0; q < 100; ++q) {
      std::vector<float> query(kDim);
      for (float& x : query) x = normal(random_);
      std::set<Id> hits;
      for (const Hit& hit : index_->Search({query, 10, index_->tuned_ef(), nullptr, nullptr}).hits) hits.insert(hit.id);
      for (const Hit& hit : Exact(query, 10, nullptr)) found += hits.count(hit.id);
    }
    EXPECT_GE(static_cast<double>(found) / 1000, target - 0.06) << "codes, and other vectors than were measured";
  }
  EXPECT_LT(efs[0.5], efs[0.9]);
  EXPECT_LT(efs[0.9], efs[0.99]);
}

TEST_F(HnswTest, TellsHowItIs) {
  auto never = [] { return false; };
  Make(Metric::kL2);
  EXPECT_EQ(index_->Health(never).vectors, 0u);
  EXPECT_EQ(index_->Health(never).fewest_links, 0u);
  PutMany(500);
  Stage(500);
  for (Id id = 0; id < 100; ++id) Remove(id);
  HnswHealth health = index_->Health(never);
  EXPECT_EQ(health.vectors, 401u);
  EXPECT_EQ(health.staged, 1u);
  EXPECT_EQ(health.removed, 100u);
  EXPECT_EQ(health.unreachable, 0u);
  EXPECT_GE(health.levels, 2u);
  EXPECT_GE(health.fewest_links, 1u);
  EXPECT_LE(health.mean_links, 16);
  EXPECT_GT(health.mean_links, static_cast<double>(health.fewest_links));
  ConnectAll();
  RepairAll();
  health = index_->Health(never);
  EXPECT_EQ(health.staged, 0u);
  EXPECT_EQ(health.removed, 0u);
}

}  // namespace
}  // namespace redoubt::vector
