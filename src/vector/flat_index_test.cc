#include "vector/flat_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <thread>

namespace redoubt::vector {
namespace {

// Counts what is taken, and refuses when told to.
class CountingMemory final : public base::MemoryResource {
 public:
  void* Allocate(size_t bytes, size_t alignment) override {
    if (refuse) return nullptr;
    used += bytes;
    return base::DefaultMemory().Allocate(bytes, alignment);
  }
  void Deallocate(void* p, size_t bytes, size_t alignment) override {
    used -= bytes;
    base::DefaultMemory().Deallocate(p, bytes, alignment);
  }
  size_t used = 0;
  bool refuse = false;
};

class FlatIndexTest : public testing::Test {
 protected:
  void MakeIndex(size_t dim, Metric metric) { index_ = FlatIndex::Create({dim, metric, &memory_}).value(); }

  std::vector<float> RandomVector() {
    std::vector<float> vector(index_->dim());
    for (float& x : vector) x = normal_(random_);
    return vector;
  }

  void Put(Id id) {
    truth_[id] = RandomVector();
    ASSERT_TRUE(index_->Add(id, BlobView(truth_[id])).ok());
  }

  void Drop(Id id) { EXPECT_EQ(index_->Remove(id), truth_.erase(id) == 1); }

  // The answer by definition: every distance, sorted.
  std::vector<Id> Nearest(std::span<const float> query, size_t k, const IdSet* filter) {
    std::vector<Hit> all;
    for (const auto& [id, vector] : truth_) {
      if (filter != nullptr && !filter->Contains(id)) continue;
      all.push_back({id, Distance(index_->metric(), query.data(), vector.data(), index_->dim())});
    }
    std::sort(all.begin(), all.end());
    std::vector<Id> ids;
    for (size_t i = 0; i < std::min(k, all.size()); ++i) ids.push_back(all[i].id);
    return ids;
  }

  std::vector<Id> Found(std::span<const float> query, size_t k, const IdSet* filter) {
    std::vector<Id> ids;
    for (const Hit& hit : index_->Search(BlobView(query), k, filter)) ids.push_back(hit.id);
    return ids;
  }

  CountingMemory memory_;
  std::unique_ptr<FlatIndex> index_;
  std::map<Id, std::vector<float>> truth_;
  std::mt19937 random_{7};
  std::normal_distribution<float> normal_;
};

TEST_F(FlatIndexTest, AgreesWithBruteForceThroughAddsReplacesAndRemoves) {
  for (Metric metric : {Metric::kL2, Metric::kIp, Metric::kCosine}) {
    truth_.clear();
    MakeIndex(19, metric);
    for (int step = 0; step < 6000; ++step) {
      Id id = static_cast<Id>(random_() % 3000);
      if (random_() % 3 == 0) {
        Drop(id);
      } else {
        Put(id);
      }
    }
    ASSERT_EQ(index_->size(), truth_.size());
    for (int q = 0; q < 20; ++q) {
      IdSet filter(3000);
      unsigned keep_one_in = 1 + static_cast<unsigned>(q);
      for (Id id = 0; id < 3000; ++id) {
        if (random_() % keep_one_in == 0) filter.Insert(id);
      }
      std::vector<float> query = RandomVector();
      EXPECT_EQ(Found(query, 10, nullptr), Nearest(query, 10, nullptr)) << MetricName(metric);
      EXPECT_EQ(Found(query, 10, &filter), Nearest(query, 10, &filter)) << MetricName(metric) << " 1/" << keep_one_in;
    }
  }
}

TEST_F(FlatIndexTest, AnswersManyQueriesInOnePassAsItAnswersEachAlone) {
  for (Metric metric : {Metric::kL2, Metric::kCosine}) {
    MakeIndex(33, metric);
    for (Id id = 0; id < 4000; ++id) Put(id);
    IdSet narrow(4000);
    IdSet wide(4000);
    for (Id id = 0; id < 4000; id += 3) (id % 30 == 0 ? narrow : wide).Insert(id);
    std::vector<std::vector<float>> vectors;
    for (int q = 0; q < 9; ++q) vectors.push_back(RandomVector());
    std::vector<KnnQuery> queries;
    for (size_t q = 0; q < vectors.size(); ++q) {
      const IdSet* filters[] = {nullptr, &narrow, &wide};
      queries.push_back({BlobView(vectors[q]), q, filters[q % 3], nullptr});
    }
    std::vector<std::vector<Hit>> together = index_->SearchMany(queries);
    ASSERT_EQ(together.size(), queries.size());
    for (size_t q = 0; q < queries.size(); ++q) {
      EXPECT_EQ(together[q], index_->Search(queries[q].vector, queries[q].k, queries[q].filter)) << q;
      EXPECT_EQ(together[q].size(), q);
    }
  }
}

// Threads that help at once, late or never.
class HelpersTest : public FlatIndexTest {
 protected:
  ~HelpersTest() override { Join(); }
  void Join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  Helper ThatStart(size_t at_most) {
    return [this, at_most](std::function<void()> part) {
      if (threads_.size() == at_most) return false;
      threads_.emplace_back(std::move(part));
      return true;
    };
  }
  std::vector<std::thread> threads_;
};

TEST_F(HelpersTest, FindTheSameTogetherAsOneThreadDoesAlone) {
  for (Metric metric : {Metric::kL2, Metric::kCosine}) {
    MakeIndex(129, metric);
    for (Id id = 0; id < 20'000; ++id) Put(id);
    IdSet filter(20'000);
    for (Id id = 0; id < 20'000; id += 1 + id % 3) filter.Insert(id);
    for (size_t q = 0; q < 20; ++q) {
      const std::vector<float> vector = RandomVector();
      KnnQuery query = {BlobView(vector), 1 + 50 * q, q % 2 == 0 ? nullptr : &filter, nullptr};
      const std::vector<Hit> alone = index_->SearchMany({&query, 1})[0];
      query.help = ThatStart(q % 4);
      EXPECT_EQ(index_->SearchMany({&query, 1})[0], alone);
      query.radius = alone[alone.size() / 2].distance;
      EXPECT_EQ(index_->InRange(query).size(), alone.size() / 2 + 1);
      Join();
    }
  }
}

TEST_F(HelpersTest, WhoComeTooLateTouchNothing) {
  MakeIndex(128, Metric::kL2);
  for (Id id = 0; id < 10'000; ++id) Put(id);
  std::vector<std::function<void()>> late;
  const std::vector<float> vector = RandomVector();
  const KnnQuery query = {
      BlobView(vector), 10, nullptr, nullptr, std::numeric_limits<double>::infinity(), [&](std::function<void()> part) {
        late.push_back(std::move(part));
        return late.size() < 3;
      }};
  EXPECT_EQ(index_->SearchMany({&query, 1})[0], index_->Search(BlobView(vector), 10));
  index_.reset();
  EXPECT_EQ(late.size(), 3u);
  for (const std::function<void()>& part : late) part();
}

TEST_F(HelpersTest, StopWithTheThreadThatBegan) {
  MakeIndex(1024, Metric::kL2);
  for (Id id = 0; id < 6000; ++id) Put(id);
  const std::vector<float> vector = RandomVector();
  const KnnQuery query = {BlobView(vector), 6000, nullptr, [] { return true; }, std::numeric_limits<double>::infinity(),
                          ThatStart(1)};
  const size_t found = index_->SearchMany({&query, 1})[0].size();
  EXPECT_GT(found, 0u);
  EXPECT_LE(found, 6000u);
}

TEST_F(FlatIndexTest, LeavesOutAQueryThatHasNoTimeLeftAndFinishesTheOthers) {
  MakeIndex(1024, Metric::kL2);
  for (Id id = 0; id < 3000; ++id) Put(id);
  std::vector<float> vector = RandomVector();
  std::vector<KnnQuery> queries = {{BlobView(vector), 3000, nullptr, [] { return true; }},
                                   {BlobView(vector), 3000, nullptr, nullptr}};
  std::vector<std::vector<Hit>> hits = index_->SearchMany(queries);
  EXPECT_LT(hits[0].size(), 3000u);
  EXPECT_EQ(hits[1].size(), 3000u);
}

TEST_F(FlatIndexTest, ReturnsAllWhenKIsLargerThanTheIndex) {
  MakeIndex(4, Metric::kL2);
  for (Id id = 0; id < 5; ++id) Put(id);
  EXPECT_EQ(index_->Search(BlobView(RandomVector()), std::numeric_limits<size_t>::max()).size(), 5u);
  EXPECT_TRUE(index_->Search(BlobView(RandomVector()), 0).empty());
}

TEST_F(FlatIndexTest, BreaksTiesByIdWhateverTheOrderOfArrival) {
  MakeIndex(2, Metric::kL2);
  const float same[] = {1, 1};
  for (Id id : {9, 3, 7, 1, 5}) ASSERT_TRUE(index_->Add(id, BlobView(same)).ok());
  EXPECT_EQ(Found(same, 3, nullptr), (std::vector<Id>{1, 3, 5}));
}

TEST_F(FlatIndexTest, NeverReturnsAVectorThatIsNotANumber) {
  MakeIndex(2, Metric::kL2);
  const float nan[] = {std::numeric_limits<float>::quiet_NaN(), 0};
  const float fine[] = {1, 0};
  ASSERT_TRUE(index_->Add(0, BlobView(nan)).ok());
  ASSERT_TRUE(index_->Add(1, BlobView(fine)).ok());
  EXPECT_EQ(Found(fine, 5, nullptr), std::vector<Id>{1});
}

TEST_F(FlatIndexTest, GivesMemoryBackAndCountsAllOfIt) {
  MakeIndex(64, Metric::kL2);
  for (Id id = 0; id < 20'000; ++id) Put(id);
  size_t full = memory_.used;
  EXPECT_GE(index_->memory_bytes(), 20'000u * 64 * 4);
  EXPECT_LE(full, index_->memory_bytes());
  for (Id id = 0; id < 20'000; ++id) Drop(id);
  EXPECT_LT(memory_.used, full / 10);
  index_.reset();
  EXPECT_EQ(memory_.used, 0u);
}

TEST_F(FlatIndexTest, SaysWhenMemoryRunsOutAndStaysUsable) {
  MakeIndex(64, Metric::kL2);
  Put(0);
  memory_.refuse = true;
  base::Status status;
  Id id = 1;
  for (; id < 10'000 && status.ok(); ++id) status = index_->Add(id, BlobView(RandomVector()));
  EXPECT_EQ(status.code(), base::StatusCode::kResourceExhausted);
  EXPECT_FALSE(index_->Contains(id - 1));
  EXPECT_EQ(index_->Search(BlobView(RandomVector()), 10'000).size(), index_->size());
}

TEST_F(FlatIndexTest, RefusesWrongDimensions) {
  EXPECT_EQ(FlatIndex::Create({0, Metric::kL2}).status().code(), base::StatusCode::kInvalidArgument);
  EXPECT_FALSE(FlatIndex::Create({kMaxDim + 1, Metric::kL2}).ok());
  MakeIndex(4, Metric::kL2);
  const float three[] = {1, 2, 3};
  EXPECT_EQ(index_->Add(1, BlobView(three)).message(), "a vector of 12 bytes does not fit dim 4 of FLOAT32 (16 bytes)");
}

TEST_F(FlatIndexTest, StopsEarlyWhenAskedTo) {
  MakeIndex(1024, Metric::kL2);
  for (Id id = 0; id < 3000; ++id) Put(id);
  int asked = 0;
  std::vector<Hit> hits = index_->Search(BlobView(RandomVector()), 3000, nullptr, [&] { return ++asked == 2; });
  EXPECT_EQ(asked, 2);
  EXPECT_GT(hits.size(), 0u);
  EXPECT_LT(hits.size(), 3000u);
}

}  // namespace
}  // namespace redoubt::vector
