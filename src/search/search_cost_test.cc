#include "search/search_cost.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "search/create_parser.h"
#include "search/index.h"

namespace redoubt::search {
namespace {

constexpr size_t kDim = 8;

class SearchCostTest : public testing::Test {
 protected:
  SearchCostTest() {
    std::vector<std::string_view> args = {"i",
                                          "SCHEMA",
                                          "vec",
                                          "VECTOR",
                                          "HNSW",
                                          "6",
                                          "TYPE",
                                          "FLOAT32",
                                          "DIM",
                                          "8",
                                          "DISTANCE_METRIC",
                                          "L2",
                                          "flat",
                                          "VECTOR",
                                          "FLAT",
                                          "6",
                                          "TYPE",
                                          "FLOAT32",
                                          "DIM",
                                          "8",
                                          "DISTANCE_METRIC",
                                          "L2",
                                          "num",
                                          "NUMERIC",
                                          "tag",
                                          "TAG",
                                          "text",
                                          "TEXT"};
    index_ = Index::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
    std::mt19937 random(1);
    for (int i = 0; i < 20'000; ++i) {
      std::string blob(kDim * sizeof(float), '\0');
      for (size_t e = 0; e < kDim; ++e) blob[4 * e + 2] = static_cast<char>(random() % 64);
      const std::string number = std::to_string(i);
      const std::string tag = i % 1000 == 0 ? "rare" : "common";
      std::vector<std::optional<std::string_view>> values = {blob, blob, number, tag, "word"};
      EXPECT_TRUE(index_->Put(number, values).ok());
    }
    for (const auto& graph : index_->Graphs()) {
      while (graph->ConnectStaged(1000)) {
      }
    }
  }

  bool IsShort(std::string_view query) {
    const std::string blob(kDim * sizeof(float), '\0');
    std::vector<std::string_view> args = {query, "PARAMS", "2", "b", blob, "DIALECT", "2"};
    return index_->IsShort(PlanSearch(args, index_->definition()).value());
  }

  std::unique_ptr<Index> index_;
};

TEST_F(SearchCostTest, AWalkIsShortUnlessItIsBroad) {
  EXPECT_TRUE(IsShort("*=>[KNN 10 @vec $b]"));
  EXPECT_FALSE(IsShort("*=>[KNN 10 @vec $b EF_RUNTIME 200]"));
  EXPECT_FALSE(IsShort("*=>[KNN 200 @vec $b]"));
  EXPECT_FALSE(IsShort("*=>[KNN 10 @flat $b]"));
}

TEST_F(SearchCostTest, AFilterIsShortWhereItLetsFewThrough) {
  EXPECT_TRUE(IsShort("@num:[10 300]=>[KNN 10 @vec $b]"));
  EXPECT_TRUE(IsShort("@tag:{rare}=>[KNN 10 @vec $b]"));
  EXPECT_TRUE(IsShort("@num:[10 300] @tag:{rare}"));
  EXPECT_TRUE(IsShort("@tag:{nothing|rare}"));
  EXPECT_FALSE(IsShort("@num:[10 15000]=>[KNN 10 @vec $b]"));
  EXPECT_FALSE(IsShort("@tag:{common} @num:[10 300]")) << "each part is looked at";
  EXPECT_FALSE(IsShort("@tag:{ra*}"));
}

TEST_F(SearchCostTest, WhatCannotBeToldIsNotShort) {
  EXPECT_FALSE(IsShort("*"));
  EXPECT_FALSE(IsShort("word"));
  EXPECT_FALSE(IsShort("@num:[10 300] word"));
  EXPECT_FALSE(IsShort("-@tag:{common}"));
  EXPECT_FALSE(IsShort("@vec:[VECTOR_RANGE 1 $b]"));
}

}  // namespace
}  // namespace redoubt::search
