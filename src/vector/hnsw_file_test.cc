#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "vector/hnsw_index.h"

namespace redoubt::vector {
namespace {

constexpr size_t kDim = 20;

// An index, and what Save() writes of it.
class HnswFileTest : public testing::Test {
 protected:
  static HnswOptions Options(Storage storage = Storage::kInt8) {
    HnswOptions options;
    options.dim = kDim;
    options.m = 6;
    options.ef_construction = 60;
    options.storage = storage;
    return options;
  }
  void Make(const HnswOptions& options) { index_ = *HnswIndex::Create(options); }

  std::vector<float> Sample() {
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (float& x : vector) x = normal(random_);
    return vector;
  }
  void Put(Id begin, Id end) {
    vectors_.resize(std::max<size_t>(vectors_.size(), end));
    for (Id id = begin; id < end; ++id) ASSERT_TRUE(index_->Add(id, vectors_[id] = Sample()).ok());
  }

  static std::string Bytes(const HnswIndex& index) {
    std::string bytes;
    base::SectionWriter out([&](std::span<const std::byte> chunk) {
      bytes.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    });
    index.Save(out);
    out.Finish();
    bytes.resize(bytes.size() - 8);  // the checksum is another test's
    return bytes;
  }
  static base::Result<std::unique_ptr<HnswIndex>> Load(std::string bytes, const HnswOptions& options,
                                                       size_t ids = 10'000) {
    IdSet all(ids);
    for (Id id = 0; id < ids; ++id) all.Insert(id);
    base::SectionReader in([&]() -> base::Result<base::Buffer> {
      ASSIGN_OR_RETURN(base::Buffer chunk, base::Buffer::Create(bytes.size(), base::DefaultMemory()));
      if (!bytes.empty()) std::memcpy(chunk.data(), bytes.data(), bytes.size());
      bytes.clear();
      return chunk;
    });
    return HnswIndex::Load(options, all, in);
  }

  static std::vector<Id> Ids(const HnswIndex& index, const std::vector<float>& query) {
    HnswQuery knn;
    knn.vector = query;
    knn.k = 10;
    knn.ef = 40;
    std::vector<Id> ids;
    for (const Hit& hit : index.Search(knn).hits) ids.push_back(hit.id);
    return ids;
  }

  std::mt19937 random_{1};
  std::vector<std::vector<float>> vectors_;
  std::unique_ptr<HnswIndex> index_;
};

TEST_F(HnswFileTest, AnEmptyGraphComesBack) {
  Make(Options());
  auto loaded = Load(Bytes(*index_), Options());
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ((*loaded)->size(), 0u);
  ASSERT_TRUE((*loaded)->Add(3, Sample()).ok());
  EXPECT_EQ((*loaded)->size(), 1u);
}

TEST_F(HnswFileTest, AnswersAreTheSameAndTheGraphGrowsOn) {
  for (Storage storage : kStorages) {
    Make(Options(storage));
    Put(0, 2000);
    auto loaded = Load(Bytes(*index_), Options(storage));
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    EXPECT_EQ((*loaded)->size(), 2000u);
    EXPECT_EQ((*loaded)->staged(), 0u);
    EXPECT_FALSE((*loaded)->HasWork());
    for (int i = 0; i < 20; ++i) {
      const std::vector<float> query = Sample();
      EXPECT_EQ(Ids(**loaded, query), Ids(*index_, query));
    }
    EXPECT_EQ(Bytes(**loaded), Bytes(*index_));
    index_ = std::move(*loaded);
    Put(2000, 2500);
    EXPECT_EQ(index_->size(), 2500u);
    const std::vector<Id> found = Ids(*index_, vectors_[2400]);
    EXPECT_NE(std::find(found.begin(), found.end(), 2400u), found.end()) << StorageName(storage);
  }
}

TEST_F(HnswFileTest, AVectorOfTheSameCodeKeepsItsNodeAndAnotherIsStaged) {
  Make(Options());
  Put(0, 500);
  std::unique_ptr<HnswIndex> loaded = *Load(Bytes(*index_), Options());
  for (Id id = 0; id < 500; ++id) ASSERT_TRUE(loaded->Stage(id, vectors_[id]).ok());
  EXPECT_EQ(loaded->staged(), 0u);
  EXPECT_EQ(loaded->removed(), 0u);
  ASSERT_TRUE(loaded->Stage(7, vectors_[8]).ok());
  EXPECT_EQ(loaded->staged(), 1u);
  EXPECT_EQ(loaded->removed(), 1u);
  EXPECT_EQ(loaded->size(), 500u);
}

TEST_F(HnswFileTest, StagedAndRemovedVectorsStayWhatTheyAre) {
  Make(Options());
  Put(0, 300);
  for (Id id = 0; id < 100; ++id) EXPECT_TRUE(index_->Remove(id));
  vectors_.resize(400);
  for (Id id = 300; id < 400; ++id) ASSERT_TRUE(index_->Stage(id, vectors_[id] = Sample()).ok());
  for (Id id = 390; id < 400; ++id) EXPECT_TRUE(index_->Remove(id));
  std::unique_ptr<HnswIndex> loaded = *Load(Bytes(*index_), Options());
  EXPECT_EQ(loaded->size(), 290u);
  EXPECT_EQ(loaded->staged(), 90u);
  EXPECT_EQ(loaded->removed(), 100u);
  while (loaded->ConnectStaged(100)) {
  }
  while (loaded->Repair(1000) != RepairProgress::kNone) {
  }
  EXPECT_EQ(loaded->removed(), 0u);
  for (Id id : {100u, 299u, 300u, 389u}) EXPECT_EQ(Ids(*loaded, vectors_[id]).front(), id);
  for (Id id : {0u, 99u, 390u}) EXPECT_FALSE(loaded->Contains(id));
  auto again = Load(Bytes(*loaded), Options());  // with free places
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ((*again)->size(), 290u);
  for (Id id = 0; id < 100; ++id) ASSERT_TRUE((*again)->Add(id, vectors_[id]).ok());
  EXPECT_EQ((*again)->size(), 390u);
  EXPECT_LE((*again)->memory_bytes(), loaded->memory_bytes() * 11 / 10) << "the free places are used";
}

TEST_F(HnswFileTest, AGraphOfOtherOptionsIsUnfit) {
  Make(Options());
  Put(0, 50);
  const std::string bytes = Bytes(*index_);
  auto refused = [&](const HnswOptions& options) {
    return Load(bytes, options).status().code() == base::StatusCode::kFailedPrecondition;
  };
  HnswOptions options = Options();
  options.m = 7;
  EXPECT_TRUE(refused(options));
  options = Options();
  options.dim = kDim + 1;
  EXPECT_TRUE(refused(options));
  options = Options();
  options.metric = Metric::kIp;
  EXPECT_TRUE(refused(options));
  EXPECT_TRUE(refused(Options(Storage::kFloat32)));
  options = Options();
  options.ef_construction = 10;
  EXPECT_TRUE(Load(bytes, options).ok()) << "it says nothing of the links there are";
}

TEST_F(HnswFileTest, TheCentreComesWithTheFile) {
  HnswOptions options = Options();
  options.centre.assign(kDim, 3.5F);
  Make(options);
  Put(0, 50);
  auto loaded = Load(Bytes(*index_), Options());
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ((*loaded)->options().centre, options.centre);
  EXPECT_EQ(Ids(**loaded, vectors_[7]).front(), 7u);
  for (float bad : {std::numeric_limits<float>::infinity(), 1e30F}) {
    std::string bytes = Bytes(*index_);
    std::memcpy(bytes.data() + 1 + 1 + 1 + 4 + 4 + 1, &bad, sizeof(bad));
    EXPECT_EQ(Load(bytes, Options()).status().code(), base::StatusCode::kDataLoss);
  }
}

TEST_F(HnswFileTest, IdsThatNoDocumentHasAreDamage) {
  Make(Options());
  Put(0, 50);
  EXPECT_EQ(Load(Bytes(*index_), Options(), 49).status().code(), base::StatusCode::kDataLoss);
}

TEST_F(HnswFileTest, WhereverItIsCutTheAnswerIsAnError) {
  Make(Options());
  Put(0, 40);
  const std::string bytes = Bytes(*index_);
  for (size_t size = 0; size < bytes.size(); ++size) ASSERT_FALSE(Load(bytes.substr(0, size), Options()).ok()) << size;
}

// What is loaded in spite of changed bytes is searched, changed, repaired and written again.
TEST_F(HnswFileTest, ChangedBytesAreRefusedOrHarmless) {
  for (Storage storage : kStorages) {
    Make(Options(storage));
    Put(0, 60);
    for (Id id = 0; id < 10; ++id) index_->Remove(id);
    ASSERT_TRUE(index_->Stage(100, Sample()).ok());
    const std::string bytes = Bytes(*index_);
    size_t loaded_ones = 0;
    for (int round = 0; round < 4000; ++round) {
      std::string changed = bytes;
      for (int i = 0; i <= round % 3; ++i) changed[random_() % changed.size()] = static_cast<char>(random_());
      auto loaded = Load(changed, Options(storage), 200);
      if (!loaded.ok()) continue;
      ++loaded_ones;
      (void)Ids(**loaded, Sample());
      ASSERT_TRUE((*loaded)->Add(150, Sample()).ok());
      for (Id id = 10; id < 30; ++id) (*loaded)->Remove(id);
      while ((*loaded)->ConnectStaged(10) || (*loaded)->Repair(1000) != RepairProgress::kNone) {
      }
      ASSERT_TRUE(Load(Bytes(**loaded), Options(storage), 200).ok());
    }
    EXPECT_GT(loaded_ones, 0u);
    EXPECT_LT(loaded_ones, 4000u);
  }
}

// Whatever threads are about, what is written while the gate is closed is whole.
TEST_F(HnswFileTest, WhatIsWrittenBehindAClosedGateIsWhole) {
  Make(Options());
  base::ForkGate gate;
  std::atomic<bool> stop = false;
  std::vector<std::thread> workers;
  for (int i = 0; i < 3; ++i) {
    workers.emplace_back([&] {
      while (!stop) {
        if (!index_->ConnectStaged(4, &gate) && index_->Repair(500, &gate) != RepairProgress::kSome) {
          std::this_thread::yield();
        }
      }
    });
  }
  std::vector<std::string> files;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 100; ++i) {
      const Id id = random_() % 500;
      if (random_() % 4 == 0) {
        index_->Remove(id);
      } else {
        ASSERT_TRUE(index_->Stage(id, Sample()).ok());
      }
    }
    base::ForkGate::Closed closed(gate);
    files.push_back(Bytes(*index_));
    EXPECT_EQ(Bytes(*index_), files.back());
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
  for (const std::string& file : files) {
    auto loaded = Load(file, Options(), 500);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  }
}

}  // namespace
}  // namespace redoubt::vector
