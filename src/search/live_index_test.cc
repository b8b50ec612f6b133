#include "search/live_index.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <semaphore>
#include <thread>

#include "search/create_parser.h"

namespace redoubt::search {
namespace {

class CountingMemory final : public base::MemoryResource {
 public:
  void* Allocate(size_t size, size_t alignment) override {
    bytes += size;
    return base::DefaultMemory().Allocate(size, alignment);
  }
  void Deallocate(void* p, size_t size, size_t alignment) override {
    bytes -= size;
    base::DefaultMemory().Deallocate(p, size, alignment);
  }

  std::atomic<size_t> bytes = 0;
};

class LiveIndexTest : public testing::Test {
 protected:
  LiveIndexTest() {
    std::vector<std::string_view> args = {"i", "SCHEMA", "tag",     "TAG", "vec", "VECTOR",          "FLAT",
                                          "6", "TYPE",   "FLOAT32", "DIM", "512", "DISTANCE_METRIC", "L2"};
    index_ = LiveIndex::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  }

  void Put(const std::string& key, std::string_view tag) {
    std::vector<std::optional<std::string_view>> values = {tag, blob_};
    index_->Put(key, values);
  }

  SearchPlan Plan(std::vector<std::string_view> args) { return PlanSearch(args, index_->definition()).value(); }
  size_t Count(std::string_view query) { return index_->Search(Plan({query, "LIMIT", "0", "0"})).total; }

  // A plan whose search asks `stop` at least once.
  SearchPlan Knn() { return Plan({"*=>[KNN 1 @vec $b]", "PARAMS", "2", "b", blob_, "DIALECT", "2"}); }

  // 600 such documents are enough for a scan to ask whether it should stop.
  const std::string blob_ = std::string(512 * sizeof(float), '\0');
  CountingMemory memory_;
  std::shared_ptr<LiveIndex> index_;
};

TEST_F(LiveIndexTest, WritesDoNotWaitForASearchAndTheNextSearchSeesThem) {
  for (int i = 0; i < 600; ++i) Put("old" + std::to_string(i), "old");
  std::promise<void> searching;
  std::promise<void> release;
  bool first = true;
  std::thread reader([&] {
    index_->Search(Knn(), [&] {
      if (first) {
        searching.set_value();
        release.get_future().wait();
      }
      first = false;
      return false;
    });
  });
  searching.get_future().wait();
  Put("new1", "new");  // would hang here if it waited
  Put("new2", "new");
  index_->Remove("new1");
  EXPECT_EQ(index_->queued(), 3u);
  release.set_value();
  reader.join();
  EXPECT_EQ(index_->queued(), 0u) << "the reader applies what waited for it";
  EXPECT_EQ(Count("@tag:{new}"), 1u);
}

TEST_F(LiveIndexTest, EverySearchSeesAllThatWasWrittenBeforeIt) {
  std::atomic<int> written = 0;
  std::atomic<bool> done = false;
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      while (!done) {
        int before = written;
        EXPECT_GE(Count("@tag:{live}"), static_cast<size_t>(before));
      }
    });
  }
  for (int i = 0; i < 3000; ++i) {
    Put("k" + std::to_string(i), "live");
    ++written;
  }
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(index_->Stats().documents, 3000u);
}

// A search on another thread that stands still whenever it asks whether to stop, until Go().
class SlowSearch {
 public:
  SlowSearch(LiveIndex& index, const SearchPlan& plan)
      : thread_([this, &index, &plan] {
          outcome_ = index.Search(plan, [this] {
            asks_.release();
            goes_.acquire();
            return false;
          });
        }) {}

  void AwaitAsk() { asks_.acquire(); }
  void Go() { goes_.release(); }
  SearchOutcome End() {
    thread_.join();
    return outcome_;
  }

 private:
  std::counting_semaphore<> asks_{0};
  std::counting_semaphore<> goes_{0};
  SearchOutcome outcome_;
  std::thread thread_;
};

TEST_F(LiveIndexTest, ASlowSearchBeginsAgainWhenMuchWaitsForIt) {
  index_->set_queue_limits({32 << 10, 1 << 20});
  for (int i = 0; i < 600; ++i) Put("old" + std::to_string(i), "old");
  const SearchPlan all = Plan({"*=>[KNN 5000 @vec $b]", "PARAMS", "2", "b", blob_, "DIALECT", "2"});
  SlowSearch search(*index_, all);
  search.AwaitAsk();
  for (int i = 0; i < 20; ++i) Put("new" + std::to_string(i), "new");  // 2 KiB each
  EXPECT_EQ(index_->queued(), 20u);
  EXPECT_GT(index_->queued_bytes(), size_t{40} << 10);
  search.Go();
  search.AwaitAsk();
  search.Go();
  const SearchOutcome outcome = search.End();
  EXPECT_EQ(outcome.total, 620u);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_EQ(index_->restarted_searches(), 1u);
  EXPECT_EQ(index_->queued_bytes(), 0u);
}

TEST_F(LiveIndexTest, ASearchThatWritesOutrunEndsLikeOneOutOfTime) {
  index_->set_queue_limits({16 << 10, 64 << 10});  // so it may begin three times
  for (int i = 0; i < 600; ++i) Put("old" + std::to_string(i), "old");
  const SearchPlan knn = Knn();
  SlowSearch search(*index_, knn);
  int written = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    search.AwaitAsk();
    for (int i = 0; i < 40; ++i, ++written) Put("new" + std::to_string(written), "new");
    search.Go();
  }
  EXPECT_TRUE(search.End().timed_out);
  EXPECT_EQ(index_->restarted_searches(), 2u);
  EXPECT_EQ(Count("@tag:{new}"), static_cast<size_t>(written));
  EXPECT_EQ(index_->queued_bytes(), 0u);
}

TEST_F(LiveIndexTest, BeyondTheBoundTheWriterIsHeldUpAMomentOnly) {
  index_->set_queue_limits({16 << 10, 16 << 10});
  for (int i = 0; i < 600; ++i) Put("old" + std::to_string(i), "old");
  const SearchPlan knn = Knn();
  SlowSearch search(*index_, knn);
  search.AwaitAsk();
  for (int i = 0; i < 50; ++i) Put("new" + std::to_string(i), "new");  // would hang if it waited for the search to go
  EXPECT_EQ(index_->queued(), 50u);
  search.Go();
  EXPECT_TRUE(search.End().timed_out);
  EXPECT_EQ(Count("@tag:{new}"), 50u);
}

TEST_F(LiveIndexTest, TheWritersOwnSearchMakesOthersBeginAgain) {
  for (int i = 0; i < 600; ++i) Put("old" + std::to_string(i), "old");
  const SearchPlan knn = Knn();
  SlowSearch search(*index_, knn);
  search.AwaitAsk();
  Put("new", "new");
  std::thread goer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the writer waits by then
    search.Go();
    search.AwaitAsk();
    search.Go();
  });
  EXPECT_EQ(Count("@tag:{new}"), 1u);
  goer.join();
  EXPECT_FALSE(search.End().timed_out);
  EXPECT_EQ(index_->restarted_searches(), 1u);
}

TEST_F(LiveIndexTest, ClearEmptiesItInOrderWithOtherChanges) {
  Put("a", "x");
  index_->Clear();
  Put("b", "x");
  EXPECT_EQ(index_->Keys(), std::vector<std::string>{"b"});
}

TEST_F(LiveIndexTest, WhoClearsItOrLetsGoOfItLastDoesNotFreeIt) {
  std::vector<std::shared_ptr<void>> garbage;
  auto discard = [&](std::shared_ptr<void> given) { garbage.push_back(std::move(given)); };
  index_ = LiveIndex::Create(index_->definition(), memory_, nullptr, nullptr, discard).value();
  for (int i = 0; i < 600; ++i) Put("d" + std::to_string(i), "x");
  const size_t full = memory_.bytes;
  index_->Clear();
  EXPECT_GE(memory_.bytes, full);
  EXPECT_EQ(Count("@tag:{x}"), 0u);
  garbage.clear();
  EXPECT_LT(memory_.bytes, full / 2);
  Put("d", "x");
  const size_t kept = memory_.bytes;
  index_.reset();
  EXPECT_EQ(memory_.bytes, kept);
  EXPECT_EQ(garbage.size(), 1u);
  garbage.clear();
  EXPECT_EQ(memory_.bytes, 0u);
}

TEST_F(LiveIndexTest, WhatIsStagedInAFieldThatCameLaterIsWorkToDo) {
  std::vector<std::string_view> args = {"i",       "SCHEMA", "g",   "VECTOR",          "HNSW", "6", "TYPE",
                                        "FLOAT32", "DIM",    "512", "DISTANCE_METRIC", "L2"};
  ASSERT_TRUE(index_->AddFields({ParseCreate(args).value().fields[0]}).ok());
  std::vector<std::optional<std::string_view>> values = {"a", blob_, blob_};
  index_->Put("d", values);
  EXPECT_EQ(index_->work().staged(), 1u);
  EXPECT_EQ(index_->work().Run(), GraphWork::Turn::kSome);
  EXPECT_EQ(index_->work().staged(), 0u);
}

TEST_F(LiveIndexTest, ASearchThatWouldHaveToWaitIsNotTried) {
  for (int i = 0; i < 600; ++i) Put("old" + std::to_string(i), "old");
  const SearchPlan plan = Plan({"@tag:{new}", "LIMIT", "0", "0"});
  const SearchTask task = {&plan, nullptr, nullptr};
  std::promise<void> searching;
  std::promise<void> release;
  bool first = true;
  std::thread reader([&] {
    index_->Search(Knn(), [&] {
      if (first) {
        searching.set_value();
        release.get_future().wait();
      }
      first = false;
      return false;
    });
  });
  searching.get_future().wait();
  EXPECT_EQ(index_->TryShortSearch(task).value().total, 0u) << "searches run side by side";
  Put("new", "new");
  EXPECT_FALSE(index_->TryShortSearch(task)) << "it could not see the change";
  release.set_value();
  reader.join();
  EXPECT_EQ(index_->TryShortSearch(task).value().total, 1u);
}

}  // namespace
}  // namespace redoubt::search
