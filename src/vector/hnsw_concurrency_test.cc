#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "vector/hnsw_index.h"

namespace redoubt::vector {
namespace {

constexpr size_t kDim = 16;

// The vector of an id in some version; versions of an id lie near each other, so that any is a right answer.
std::vector<float> VectorOf(Id id, uint32_t version) {
  std::mt19937 random(id);
  std::normal_distribution<float> normal;
  std::vector<float> vector(kDim);
  for (float& x : vector) x = normal(random);
  vector[version % kDim] += 0.01f;
  return vector;
}

std::unique_ptr<HnswIndex> MakeIndex() {
  HnswOptions options;
  options.dim = kDim;
  options.m = 8;
  options.ef_construction = 60;
  return *HnswIndex::Create(options);
}

double ShareFound(const HnswIndex& index, Id ids) {
  size_t found = 0;
  for (Id id = 0; id < ids; ++id) {
    const std::vector<float> vector = VectorOf(id, 0);
    HnswResult result = index.Search({vector, 1, 50, nullptr, nullptr});
    found += !result.hits.empty() && result.hits[0].id == id;
  }
  return static_cast<double>(found) / ids;
}

TEST(HnswConcurrencyTest, SeveralThreadsBuildAGraphThatFindsEverything) {
  constexpr Id kPerThread = 400;
  constexpr Id kThreads = 4;
  std::unique_ptr<HnswIndex> index = MakeIndex();
  std::vector<std::thread> threads;
  for (Id t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (Id i = 0; i < kPerThread; ++i) ASSERT_TRUE(index->Add(i * kThreads + t, VectorOf(i * kThreads + t, 0)).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(index->size(), kPerThread * kThreads);
  EXPECT_GE(ShareFound(*index, kPerThread * kThreads), 0.99);
}

// Counts the bytes of blocks that are asked for.
class BlockCounter final : public base::MemoryResource {
 public:
  void* Allocate(size_t bytes, size_t alignment) override {
    if (bytes >= BlockStore::kBlockBytes) ++blocks;
    return base::DefaultMemory().Allocate(bytes, alignment);
  }
  void Deallocate(void* p, size_t bytes, size_t alignment) override {
    base::DefaultMemory().Deallocate(p, bytes, alignment);
  }

  std::atomic<size_t> blocks = 0;
};

TEST(HnswConcurrencyTest, AThreadThatMustNotWaitLinksWithoutMakingRoom) {
  BlockCounter memory;
  HnswOptions options;
  options.dim = kDim;
  options.m = 8;
  options.memory = &memory;
  const std::unique_ptr<HnswIndex> index = *HnswIndex::Create(options);
  Id id = 0;
  while (memory.blocks < 4) {  // the last one has been begun: room for more is wanted
    ASSERT_TRUE(index->Stage(id, VectorOf(id, 0)).ok());
    ++id;
  }
  // Fills it, so that nothing is spare.
  const size_t rows = BlockStore(2 * 8 * sizeof(Slot) + Codec::kHeadBytes + 32, memory).rows_per_block();
  for (; id % rows != 0; ++id) ASSERT_TRUE(index->Stage(id, VectorOf(id, 0)).ok());
  const size_t before = memory.blocks;
  EXPECT_TRUE(index->ConnectOne());
  EXPECT_EQ(memory.blocks, before);
  EXPECT_EQ(index->staged(), id - 1);
  EXPECT_TRUE(index->ConnectStaged(1));
  EXPECT_GT(memory.blocks, before) << "the others make it";
}

TEST(HnswConcurrencyTest, AThreadThatMustNotWaitLeavesWhatAnotherLinksTheEqualOf) {
  const std::unique_ptr<HnswIndex> index = MakeIndex();
  const std::vector<float> equal = VectorOf(0, 0);
  for (Id id = 0; id < 4000; ++id) ASSERT_TRUE(index->Stage(id, equal).ok());
  std::atomic<bool> done = false;
  std::thread worker([&] {
    while (index->ConnectStaged(16)) {
    }
    done = true;
  });
  size_t left = 0;
  while (!done) left += index->ConnectOne() ? 0 : 1;
  worker.join();
  while (index->ConnectOne()) {
  }
  EXPECT_EQ(index->staged(), 0U);
  EXPECT_EQ(index->Search({equal, 4000, 4000, nullptr, nullptr}).hits.size(), 4000U);
  EXPECT_GT(left, 0U);
}

// Writers replace and remove, one repairs, readers search: each answer is of distinct ids that were in the index.
TEST(HnswConcurrencyTest, SearchesStayRightBesideChangesAndRepairs) {
  constexpr Id kIds = 600;
  std::unique_ptr<HnswIndex> index = MakeIndex();
  for (Id id = 0; id < kIds; ++id) ASSERT_TRUE(index->Add(id, VectorOf(id, 0)).ok());
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  for (Id t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      std::mt19937 random(t);
      for (uint32_t i = 0; i < 1500; ++i) {
        const Id id = static_cast<Id>(random() % (kIds / 2)) * 2 + t;  // no id has two writers
        if (i % 5 == 0) {
          index->Remove(id);
        } else {
          ASSERT_TRUE(index->Add(id, VectorOf(id, i)).ok());
        }
      }
    });
  }
  std::vector<std::thread> others;
  others.emplace_back([&] {
    while (!done) {
      if (index->Repair(100) != RepairProgress::kSome) std::this_thread::yield();
    }
  });
  std::atomic<size_t> searches{0};
  for (uint32_t t = 0; t < 2; ++t) {
    others.emplace_back([&, t] {
      std::mt19937 random(100 + t);
      for (; !done; ++searches) {
        const std::vector<float> query = VectorOf(static_cast<Id>(random() % kIds), 3);
        HnswResult result = index->Search({query, 10, 40, nullptr, nullptr});
        std::set<Id> ids;
        for (const Hit& hit : result.hits) {
          EXPECT_LT(hit.id, kIds);
          EXPECT_TRUE(ids.insert(hit.id).second) << "twice: " << hit.id;
        }
        EXPECT_GE(result.hits.size(), 5u);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& other : others) other.join();
  EXPECT_GT(searches, 0u);
  for (Id id = 0; id < kIds; ++id) ASSERT_TRUE(index->Add(id, VectorOf(id, 0)).ok());
  EXPECT_GE(ShareFound(*index, kIds), 0.99);
}

// What the server does: one thread stages and removes, others link, repair and search.
TEST(HnswConcurrencyTest, AWriterStagesWhileOthersLinkRepairAndSearch) {
  constexpr Id kIds = 800;
  std::unique_ptr<HnswIndex> index = MakeIndex();
  std::atomic<bool> done{false};
  std::vector<std::thread> others;
  for (int t = 0; t < 2; ++t) {
    others.emplace_back([&] {
      while (!done) {
        const bool linked = index->ConnectStaged(8);
        if (index->Repair(64) != RepairProgress::kSome && !linked) std::this_thread::yield();
      }
    });
  }
  std::atomic<bool> replacing{false};  // a search beside it may come between the old vector and the new one
  std::atomic<Id> written{0};          // the ids below, if not divisible by 7, stay
  std::atomic<size_t> searches{0};
  std::atomic<size_t> misses{0};  // a graph may lose the only link to a node for a while
  for (uint32_t t = 0; t < 2; ++t) {
    others.emplace_back([&, t] {
      std::mt19937 random(200 + t);
      while (!done) {
        const Id bound = written;
        if (bound == 0) continue;
        const Id id = static_cast<Id>(random() % bound);
        if (id % 7 == 0) continue;
        HnswResult result = index->Search({VectorOf(id, 0), 5, 200, nullptr, nullptr});
        std::set<Id> ids;
        for (const Hit& hit : result.hits) EXPECT_TRUE(ids.insert(hit.id).second) << "twice: " << hit.id;
        ++searches;
        if (!replacing && ids.count(id) == 0) ++misses;
      }
    });
  }
  for (Id id = 0; id < kIds; ++id) {
    ASSERT_TRUE(index->Stage(id, VectorOf(id, 0)).ok());
    written = id + 1;
    if (id % 3 == 0) index->Remove(id / 7 * 7);
    if (id % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  replacing = true;
  for (Id id = 0; id < kIds; ++id) ASSERT_TRUE(index->Stage(id, VectorOf(id, 0)).ok());
  done = true;
  for (std::thread& other : others) other.join();
  while (index->ConnectStaged(100)) {
  }
  EXPECT_EQ(index->staged(), 0u);
  EXPECT_EQ(index->size(), kIds);
  EXPECT_LE(misses * 1000, searches + 1000);
  EXPECT_GE(ShareFound(*index, kIds), 0.99);
}

}  // namespace
}  // namespace redoubt::vector
