// Vectors that are equal: found one and all, through any filter, after removals and repairs, beside other writers.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "vector/hnsw_index.h"

namespace redoubt::vector {
namespace {

constexpr size_t kDim = 16;

// Scattered vectors with ids from 0 on, and groups of equal vectors among them.
class TwinsTest : public testing::TestWithParam<Metric> {
 protected:
  TwinsTest() { MakeIndex(); }

  void MakeIndex() {
    HnswOptions options;
    options.dim = kDim;
    options.metric = GetParam();
    options.m = 8;
    options.ef_construction = 60;
    index_ = *HnswIndex::Create(options);
  }

  std::vector<float> Scattered() {
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (float& x : vector) x = normal(random_);
    return vector;
  }
  // For IP longer than the others: then nothing is nearer to it than itself.
  std::vector<float> Twin() {
    std::vector<float> vector = Scattered();
    for (float& x : vector) x *= GetParam() == Metric::kIp ? 10.0F : 1.0F;
    return vector;
  }
  void PutScattered(Id begin, Id end) {
    for (Id id = begin; id < end; ++id) ASSERT_TRUE(index_->Add(id, Scattered()).ok());
  }
  void PutEqual(Id begin, Id end, const std::vector<float>& vector) {
    for (Id id = begin; id < end; ++id) ASSERT_TRUE(index_->Add(id, vector).ok());
  }
  void RepairAll() {
    while (index_->Repair(100) != RepairProgress::kNone) {
    }
  }

  // How many of [begin, end) are among the `k` nearest to `query`.
  size_t Found(const std::vector<float>& query, size_t k, Id begin, Id end, const IdSet* filter = nullptr,
               std::optional<HnswPlan> plan = {}) const {
    size_t found = 0;
    for (const Hit& hit : index_->Search({query, k, k, filter, nullptr, plan}).hits) {
      found += hit.id >= begin && hit.id < end ? 1 : 0;
    }
    return found;
  }

  std::mt19937 random_{11};
  std::unique_ptr<HnswIndex> index_;
};

TEST_P(TwinsTest, AllAreFoundBeforeWhatIsFarther) {
  PutScattered(0, 1500);
  const std::vector<float> twin = Twin();
  PutEqual(1500, 2000, twin);
  PutScattered(2000, 3000);
  EXPECT_EQ(Found(twin, 500, 1500, 2000), 500U);
  EXPECT_EQ(Found(twin, 100, 1500, 2000), 100U);
}

TEST_P(TwinsTest, TheFewThatMatchAreFoundAmongThoseThatDoNot) {
  PutScattered(0, 1000);
  const std::vector<float> twin = Twin();
  PutEqual(1000, 1600, twin);
  IdSet filter(1600);
  for (Id id = 0; id < 1000; ++id) filter.Insert(id);
  for (Id id = 1550; id < 1560; ++id) filter.Insert(id);
  for (HnswPlan plan : {HnswPlan::kFilteredWalk, HnswPlan::kTwoHopWalk}) {
    EXPECT_EQ(Found(twin, 10, 1550, 1560, &filter, plan), 10U) << static_cast<int>(plan);
  }
}

TEST_P(TwinsTest, TheyHideNothingBehindThem) {
  if (GetParam() == Metric::kIp) GTEST_SKIP() << "a vector is not its own nearest by the inner product";
  const std::vector<float> twin = Twin();
  size_t missed[2] = {0, 0};
  for (size_t equal : {size_t{0}, size_t{300}}) {
    MakeIndex();
    random_.seed(5);
    PutEqual(0, static_cast<Id>(equal), twin);
    std::vector<std::vector<float>> others;
    for (Id id = 300; id < 900; ++id) {
      others.push_back(Scattered());
      ASSERT_TRUE(index_->Add(id, others.back()).ok());
    }
    PutEqual(900, static_cast<Id>(900 + equal), twin);
    for (Id id = 300; id < 900; ++id) missed[equal != 0] += 1 - Found(others[id - 300], 10, id, id + 1);
  }
  EXPECT_LE(missed[1], missed[0] + 6);  // of 600
}

TEST_P(TwinsTest, TheyStayTogetherWhenManyAreRemovedAndComeBack) {
  PutScattered(0, 500);
  const std::vector<float> twin = Twin();
  PutEqual(500, 900, twin);
  for (int round = 0; round < 5; ++round) {
    for (Id id = 500; id < 900; ++id) {
      if (static_cast<int>(id) % 5 != round) index_->Remove(id);
    }
    if (round % 2 == 0) RepairAll();
    EXPECT_EQ(Found(twin, 80, 500, 900), 80U) << round;
    for (Id id = 500; id < 900; ++id) {
      if (index_->Contains(id)) continue;
      ASSERT_TRUE(index_->Add(id, twin).ok());
    }
    EXPECT_EQ(Found(twin, 400, 500, 900), 400U) << round;
  }
}

// Each new twin stands behind the first, so those that came next after it are the last of the ring.
TEST_P(TwinsTest, ThousandsThatAreRemovedInARowCutOffNoneBehindThem) {
  PutScattered(0, 300);
  const std::vector<float> twin = Twin();
  PutEqual(300, 2800, twin);
  for (Id id = 306; id < 2800; ++id) index_->Remove(id);
  PutEqual(2800, 2801, twin);
  EXPECT_EQ(Found(twin, 7, 300, 2801), 7U);
  RepairAll();
  EXPECT_EQ(Found(twin, 7, 300, 2801), 7U);
}

TEST_P(TwinsTest, TheOneThatOthersLinkToMayGoWithThousandsAfterIt) {
  PutScattered(0, 300);
  const std::vector<float> twin = Twin();
  PutEqual(300, 2800, twin);
  index_->Remove(300);
  for (Id id = 306; id < 2800; ++id) index_->Remove(id);
  RepairAll();
  EXPECT_EQ(Found(twin, 5, 300, 2800), 5U);
  PutEqual(2800, 2900, twin);
  EXPECT_EQ(Found(twin, 105, 300, 2900), 105U);
}

TEST_P(TwinsTest, AnIndexOfNothingElseFindsThem) {
  PutEqual(0, 200, std::vector<float>(kDim, 0.25F));
  EXPECT_EQ(Found(std::vector<float>(kDim, 0.25F), 200, 0, 200), 200U);
  for (Id id = 0; id < 150; ++id) index_->Remove(id);
  RepairAll();
  EXPECT_EQ(Found(std::vector<float>(kDim, 0.25F), 50, 150, 200), 50U);
}

TEST_P(TwinsTest, SeveralThreadsThatLinkThemLoseNone) {
  PutScattered(0, 500);
  const std::vector<float> twin = Twin();
  PutEqual(500, 501, twin);
  for (Id id = 501; id < 1000; ++id) ASSERT_TRUE(index_->Stage(id, twin).ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      while (index_->ConnectStaged(10)) {
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Found(twin, 500, 500, 1000), 500U);
}

std::string NameOf(const testing::TestParamInfo<Metric>& metric) { return std::string(MetricName(metric.param)); }
INSTANTIATE_TEST_SUITE_P(Metrics, TwinsTest, testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine), NameOf);

}  // namespace
}  // namespace redoubt::vector
