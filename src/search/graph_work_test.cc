#include "search/graph_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "search/create_parser.h"
#include "search/live_index.h"

namespace redoubt::search {
namespace {

constexpr size_t kDim = 8;

class GraphWorkTest : public testing::Test {
 protected:
  GraphWorkTest() {
    std::vector<std::string_view> args = {"i", "SCHEMA", "tag",     "TAG", "vec", "VECTOR",          "HNSW",
                                          "6", "TYPE",   "FLOAT32", "DIM", "8",   "DISTANCE_METRIC", "L2"};
    index_ =
        LiveIndex::Create(ParseCreate(args).value(), base::DefaultMemory(), [this](const auto&) { ++wakes_; }).value();
  }

  static std::string Blob(uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (float& x : vector) x = normal(random);
    return {reinterpret_cast<const char*>(vector.data()), kDim * sizeof(float)};
  }
  void Put(uint32_t number) {
    const std::string blob = Blob(number);
    std::vector<std::optional<std::string_view>> values = {"t", blob};
    index_->Put(std::to_string(number), values);
  }
  SearchOutcome Nearest(uint32_t number, size_t k) {
    const std::string blob = Blob(number);
    const std::string query = "*=>[KNN " + std::to_string(k) + " @vec $b EF_RUNTIME 100]";
    std::vector<std::string_view> args = {query, "PARAMS", "2", "b", blob, "DIALECT", "2"};
    return index_->Search(PlanSearch(args, index_->definition()).value());
  }
  void WorkAll() {
    while (index_->work().Run() != GraphWork::Turn::kNone) {
    }
  }

  std::atomic<int> wakes_ = 0;
  std::shared_ptr<LiveIndex> index_;
};

TEST_F(GraphWorkTest, AWriteWakesWorkersAndIsFoundBeforeTheyCome) {
  Put(1);
  EXPECT_GE(wakes_, 1);
  EXPECT_TRUE(index_->work().pending());
  EXPECT_EQ(index_->Stats().staged_vectors, 1u);
  const SearchOutcome found = Nearest(1, 1);
  EXPECT_TRUE(found.candidates);
  ASSERT_EQ(found.documents.size(), 1u);
  EXPECT_EQ(found.documents[0].key, "1");
  WorkAll();
  EXPECT_FALSE(index_->work().pending());
  EXPECT_EQ(index_->Stats().staged_vectors, 0u);
}

TEST_F(GraphWorkTest, AnswersMoreCandidatesThanAskedFor) {
  for (uint32_t i = 0; i < 100; ++i) Put(i);
  WorkAll();
  EXPECT_EQ(Nearest(5, 10).documents.size(), 20u);
  EXPECT_EQ(Nearest(5, 40).documents.size(), 60u);
  EXPECT_EQ(Nearest(5, 1000).documents.size(), 100u);
}

TEST_F(GraphWorkTest, NothingIsLeftToDoOnceTheIndexIsNotServed) {
  for (uint32_t i = 0; i < 100; ++i) Put(i);
  index_->work().Serve({});
  EXPECT_EQ(index_->work().Run(), GraphWork::Turn::kNone);
}

// What the server does: a writer, also clearing everything, beside workers and searches.
TEST_F(GraphWorkTest, WorkersSearchesAndAWriterRunTogether) {
  std::atomic<bool> done = false;
  std::atomic<uint32_t> written = 0;  // numbers below are in the index
  std::atomic<int> cleared = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        if (index_->work().Run() == GraphWork::Turn::kNone) std::this_thread::yield();
      }
    });
    threads.emplace_back([&, i] {
      std::mt19937 random(static_cast<uint32_t>(i));
      while (!done) {
        const int round = cleared;
        const uint32_t bound = written;
        if (bound == 0) continue;
        const uint32_t number = random() % bound;
        const SearchOutcome found = Nearest(number, 1);
        if (cleared == round) {
          ASSERT_FALSE(found.documents.empty());
          EXPECT_EQ(found.documents[0].key, std::to_string(number));
        }
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 400; ++i) {
      Put(i);
      written = i + 1;
      if (i % 10 == 9) Put(i / 2);
    }
    if (round == 2) break;
    written = 0;
    ++cleared;
    index_->Clear();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  WorkAll();
  EXPECT_EQ(index_->Stats().documents, 400u);
  EXPECT_EQ(index_->Stats().staged_vectors, 0u);
}

TEST_F(GraphWorkTest, AWriterIsAskedToHelpWhenTooMuchWaits) {
  std::vector<std::string_view> args = {"i",       "SCHEMA", "vec",  "VECTOR",          "HNSW", "6", "TYPE",
                                        "FLOAT32", "DIM",    "4096", "DISTANCE_METRIC", "L2"};
  auto index = LiveIndex::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  const std::string blob(4096 * sizeof(float), '\0');
  const std::vector<std::optional<std::string_view>> values = {blob};
  constexpr size_t kFit = (32 << 20) / 4096;
  for (size_t i = 0; i < kFit; ++i) index->Put(std::to_string(i), values);
  EXPECT_FALSE(index->work().overfull());
  index->Put("more", values);
  EXPECT_TRUE(index->work().overfull());
  index->work().LinkOne();
  EXPECT_FALSE(index->work().overfull());
  EXPECT_EQ(index->Stats().staged_vectors, kFit);
}

}  // namespace
}  // namespace redoubt::search
