#include "search/graph_field.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "vector/distance.h"

namespace redoubt::search {
namespace {

constexpr size_t kDim = 32;

// Vectors around one point, in a field that nobody links.
class GraphFieldTest : public testing::Test {
 protected:
  void Make(vector::Storage storage, float offset, vector::Metric metric = vector::Metric::kL2) {
    VectorOptions options;
    options.algorithm = VectorAlgorithm::kHnsw;
    options.dim = kDim;
    options.metric = metric;
    options.graph.storage = storage;
    field_ = *GraphField::Create(options, base::DefaultMemory());
    vectors_.clear();
    offset_ = offset;
    metric_ = metric;
  }
  std::vector<float> Sample() {
    std::normal_distribution<float> normal(offset_);
    std::vector<float> vector(kDim);
    for (float& x : vector) x = normal(random_);
    return vector;
  }
  void Put(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      vectors_.push_back(Sample());
      ASSERT_TRUE(field_->Set(static_cast<Id>(vectors_.size() - 1), vector::BlobView(vectors_.back())).ok());
    }
  }
  bool HasCentre() const { return !field_->index()->options().centre.empty(); }

  // How many of the nearest 10 are among the candidates, of 20 queries.
  double Recall() {
    size_t right = 0;
    for (int q = 0; q < 20; ++q) {
      const std::vector<float> query = Sample();
      std::vector<std::pair<float, Id>> exact;
      for (size_t i = 0; i < vectors_.size(); ++i) {
        exact.emplace_back(vector::Distance(metric_, query.data(), vectors_[i].data(), kDim), static_cast<Id>(i));
      }
      std::sort(exact.begin(), exact.end());
      const auto found = field_->Search(vector::BlobView(query), 10, 100, nullptr, nullptr);
      for (size_t i = 0; i < 10; ++i) {
        right += std::any_of(found.hits.begin(), found.hits.end(),
                             [&](const vector::Hit& hit) { return hit.id == exact[i].second; });
      }
    }
    return static_cast<double>(right) / 200;
  }

  std::mt19937 random_{11};
  float offset_ = 0;
  vector::Metric metric_ = vector::Metric::kL2;
  std::vector<std::vector<float>> vectors_;
  std::unique_ptr<GraphField> field_;
};

TEST_F(GraphFieldTest, CodesOfDataThatLiesAsideAreTakenFromItsMiddle) {
  for (vector::Storage storage : {vector::Storage::kInt8, vector::Storage::kInt4, vector::Storage::kBinary}) {
    for (vector::Metric metric : {vector::Metric::kL2, vector::Metric::kCosine, vector::Metric::kIp}) {
      Make(storage, 10, metric);
      Put(CentreSample::kVectors - 1);
      EXPECT_FALSE(field_->TakeRenewed());
      Put(1);
      EXPECT_TRUE(HasCentre()) << vector::StorageName(storage);
      EXPECT_TRUE(field_->TakeRenewed());
      EXPECT_FALSE(field_->TakeRenewed());
      EXPECT_EQ(field_->index()->size(), CentreSample::kVectors);
      Put(1000);
      EXPECT_GE(Recall(), 0.95) << vector::StorageName(storage) << " " << vector::MetricName(metric);
    }
  }
}

TEST_F(GraphFieldTest, DataAroundTheOriginKeepsItsGraph) {
  Make(vector::Storage::kBinary, 0);
  Put(2 * CentreSample::kVectors);
  EXPECT_FALSE(HasCentre());
  EXPECT_FALSE(field_->TakeRenewed());
  EXPECT_GE(Recall(), 0.9);
}

TEST_F(GraphFieldTest, ABroaderWalkOverSingleBitsHasMoreCandidates) {
  Make(vector::Storage::kBinary, 0);
  Put(1000);
  const std::vector<float> query = Sample();
  EXPECT_LT(field_->Search(vector::BlobView(query), 10, 50, nullptr, nullptr).hits.size(), 150u);
  EXPECT_EQ(field_->Search(vector::BlobView(query), 10, 400, nullptr, nullptr).hits.size(), 400u);
}

TEST_F(GraphFieldTest, WhatIsGoneOrReplacedIsNotInTheNewGraph) {
  Make(vector::Storage::kInt8, 10);
  Put(200);
  for (Id id = 0; id < 50; ++id) field_->Clear(id);
  vectors_[60] = Sample();
  ASSERT_TRUE(field_->Set(60, vector::BlobView(vectors_[60])).ok());
  Put(CentreSample::kVectors - 150);
  EXPECT_TRUE(HasCentre());
  EXPECT_EQ(field_->index()->size(), CentreSample::kVectors);
  EXPECT_FALSE(field_->index()->Contains(10));
  const auto found = field_->Search(vector::BlobView(vectors_[60]), 1, 10, nullptr, nullptr);
  ASSERT_FALSE(found.hits.empty());
  EXPECT_EQ(found.hits[0].id, 60u);
}

TEST_F(GraphFieldTest, FloatsAreExact) {
  Make(vector::Storage::kFloat32, 10);
  Put(500);
  EXPECT_TRUE(field_->exact_distances());
  EXPECT_FALSE(HasCentre());
  const std::vector<float> query = Sample();
  const auto found = field_->Search(vector::BlobView(query), 10, 100, nullptr, nullptr);
  ASSERT_EQ(found.hits.size(), 10u);
  for (const vector::Hit& hit : found.hits) {
    EXPECT_FLOAT_EQ(static_cast<float>(hit.distance),
                    vector::Distance(vector::Metric::kL2, query.data(), vectors_[hit.id].data(), kDim));
  }
}

}  // namespace
}  // namespace redoubt::search
