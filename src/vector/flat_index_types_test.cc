#include <gtest/gtest.h>

#include <map>
#include <set>

#include "vector/flat_index.h"
#include "vector/test_vectors.h"

namespace redoubt::vector {
namespace {

// An index of one type and metric beside plain vectors whose distances are computed by definition.
class FlatIndexTypesTest : public testing::TestWithParam<std::tuple<ElementType, Metric>> {
 protected:
  FlatIndexTypesTest() { index_ = FlatIndex::Create({kDim, metric(), &base::DefaultMemory(), type()}).value(); }

  ElementType type() const { return std::get<0>(GetParam()); }
  Metric metric() const { return std::get<1>(GetParam()); }

  void ChangeAtRandom(size_t steps) {
    for (size_t step = 0; step < steps; ++step) {
      const Id id = static_cast<Id>(random_() % kIds);
      if (random_() % 3 == 0) {
        EXPECT_EQ(index_->Remove(id), vectors_.erase(id) == 1);
        continue;
      }
      vectors_[id] = RandomTyped(type(), kDim, random_);
      ASSERT_TRUE(index_->Add(id, vectors_[id].blob).ok());
    }
    ASSERT_EQ(index_->size(), vectors_.size());
  }

  IdSet RandomFilter(unsigned keep_one_in) {
    IdSet filter(kIds);
    for (Id id = 0; id < kIds; ++id) {
      if (random_() % keep_one_in == 0) filter.Insert(id);
    }
    return filter;
  }

  double DistanceTo(const TypedVector& query, Id id) const {
    return DistanceByDefinition(metric(), query.values, vectors_.at(id).values);
  }

  std::vector<double> SortedDistances(const TypedVector& query, const IdSet& filter) const {
    std::vector<double> all;
    for (const auto& [id, vector] : vectors_) {
      if (filter.Contains(id)) all.push_back(DistanceTo(query, id));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  // Each hit has the distance that its vector has, and together they are the nearest.
  void ExpectNearest(const TypedVector& query, size_t k, const IdSet& filter) {
    const std::vector<Hit> hits = index_->Search(query.blob, k, &filter);
    const std::vector<double> want = SortedDistances(query, filter);
    ASSERT_EQ(hits.size(), std::min(k, want.size()));
    for (size_t i = 0; i < hits.size(); ++i) {
      ASSERT_TRUE(filter.Contains(hits[i].id));
      const double slack = Slack(type(), metric(), query, vectors_.at(hits[i].id));
      EXPECT_NEAR(hits[i].distance, want[i], slack);
      EXPECT_NEAR(hits[i].distance, DistanceTo(query, hits[i].id), slack);
    }
  }

  // A radius between two distances has exactly those below it.
  void ExpectInRange(const TypedVector& query, size_t nearest, const IdSet& filter) {
    const std::vector<double> all = SortedDistances(query, filter);
    if (all.size() <= nearest + 1) return;
    const double radius = (all[nearest] + all[nearest + 1]) / 2;
    const double slack = 2 * Slack(type(), metric(), query, vectors_.begin()->second);
    if (all[nearest + 1] - all[nearest] < slack) return;
    std::set<Id> found;
    for (const Hit& hit : index_->InRange({query.blob, 0, &filter, nullptr, radius})) {
      EXPECT_TRUE(found.insert(hit.id).second);
      EXPECT_LE(DistanceTo(query, hit.id), radius);
      EXPECT_TRUE(filter.Contains(hit.id));
    }
    EXPECT_EQ(found.size(), nearest + 1);
  }

  static constexpr size_t kDim = 37;
  static constexpr Id kIds = 1500;
  std::unique_ptr<FlatIndex> index_;
  std::map<Id, TypedVector> vectors_;
  std::mt19937 random_{13};
};

TEST_P(FlatIndexTypesTest, AgreesWithTheDefinitionThroughAddsReplacesAndRemoves) {
  ChangeAtRandom(4000);
  for (unsigned q = 0; q < 12; ++q) {
    const TypedVector query = RandomTyped(type(), kDim, random_);
    const IdSet filter = RandomFilter(1 + q);
    ExpectNearest(query, 10, filter);
    ExpectInRange(query, 5 + 10 * q, filter);
  }
}

TEST_P(FlatIndexTypesTest, FindsItsOwnVectorsFirst) {
  ChangeAtRandom(500);
  if (metric() == Metric::kIp) return;  // a longer vector may have a larger product
  for (const auto& [id, vector] : vectors_) {
    const std::vector<Hit> hits = index_->Search(vector.blob, 1);
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].id, id);
    EXPECT_NEAR(hits[0].distance, 0, 1e-6);
  }
}

TEST_P(FlatIndexTypesTest, KeepsOneCopyInItsElementType) {
  ChangeAtRandom(10'000);
  const size_t norm = metric() == Metric::kCosine && type() != ElementType::kFloat32 ? sizeof(double) : 0;
  const size_t row = kDim * ElementBytes(type()) + norm;
  EXPECT_GE(index_->memory_bytes(), vectors_.size() * row);
  EXPECT_LE(index_->memory_bytes(), vectors_.size() * (row + 16) + 300'000);
}

std::string NameOf(const testing::TestParamInfo<std::tuple<ElementType, Metric>>& info) {
  return std::string(ElementName(std::get<0>(info.param))) + "_" + std::string(MetricName(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(All, FlatIndexTypesTest,
                         testing::Combine(testing::ValuesIn(kElementTypes),
                                          testing::Values(Metric::kL2, Metric::kIp, Metric::kCosine)),
                         NameOf);

TEST(FlatIndexFloat64Test, TellsVectorsApartThatAreOneAsFloats) {
  auto index = FlatIndex::Create({2, Metric::kL2, &base::DefaultMemory(), ElementType::kFloat64}).value();
  for (Id id = 0; id < 10; ++id) {
    const double vector[] = {1 + id * 1e-12, 1e6};
    ASSERT_TRUE(index->Add(id, BlobView(vector)).ok());
  }
  const double query[] = {1 + 7.2e-12, 1e6};
  const std::vector<Hit> hits = index->Search(BlobView(query), 3);
  EXPECT_EQ(hits[0].id, 7u);
  EXPECT_EQ(hits[1].id, 8u);
  EXPECT_EQ(hits[2].id, 6u);
  EXPECT_NEAR(hits[0].distance, 0.04e-24, 0.01e-24);
}

}  // namespace
}  // namespace redoubt::vector
