#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "search/create_parser.h"
#include "search/live_index.h"

namespace redoubt::search {
namespace {

constexpr size_t kDim = 8;

// An index with two graphs, and the sections that were saved of it.
class IndexFileTest : public testing::Test {
 protected:
  IndexFileTest() : index_(Create()) {}

  static std::shared_ptr<LiveIndex> Create(std::string_view dim = "8") {
    std::vector<std::string_view> args = {"i",
                                          "SCHEMA",
                                          "tag",
                                          "TAG",
                                          "vec",
                                          "VECTOR",
                                          "HNSW",
                                          "6",
                                          "TYPE",
                                          "FLOAT32",
                                          "DIM",
                                          dim,
                                          "DISTANCE_METRIC",
                                          "L2",
                                          "far",
                                          "VECTOR",
                                          "HNSW",
                                          "6",
                                          "TYPE",
                                          "FLOAT32",
                                          "DIM",
                                          "8",
                                          "DISTANCE_METRIC",
                                          "COSINE"};
    return LiveIndex::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  }
  static std::string Blob(uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (float& x : vector) x = normal(random);
    return {reinterpret_cast<const char*>(vector.data()), kDim * sizeof(float)};
  }
  static void Put(LiveIndex& index, uint32_t number, uint32_t seed) {
    const std::string blob = Blob(seed);
    std::vector<std::optional<std::string_view>> values = {"t", blob, std::nullopt};
    if (number % 2 == 0) values[2] = blob;
    index.Put("key" + std::to_string(number), values);
  }
  void PutMany(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) Put(*index_, i, i);
    while (index_->work().Run() != GraphWork::Turn::kNone) {
    }
  }
  static std::string Nearest(LiveIndex& index, std::string_view field, uint32_t seed) {
    const std::string blob = Blob(seed);
    const std::string query = "*=>[KNN 1 @" + std::string(field) + " $b EF_RUNTIME 50]";
    std::vector<std::string_view> args = {query, "PARAMS", "2", "b", blob, "DIALECT", "2"};
    const SearchOutcome outcome = index.Search(PlanSearch(args, index.definition()).value());
    return outcome.documents.empty() ? "" : outcome.documents[0].key;
  }

  // 0 the documents, 1 and 2 the graphs.
  std::vector<std::deque<std::string>> Save() {
    std::vector<std::deque<std::string>> sections(3);
    for (size_t i = 0; i < 3; ++i) {
      base::SectionWriter out([&](std::span<const std::byte> chunk) {
        sections[i].emplace_back(reinterpret_cast<const char*>(chunk.data()), chunk.size());
      });
      const Index& index = index_->AsItStands();
      i == 0 ? index.SaveDocuments(out) : index.SaveGraph(i, out);
      out.Finish();
    }
    return sections;
  }
  static base::SectionReader Reader(std::deque<std::string>& chunks) {
    return base::SectionReader([&chunks]() -> base::Result<base::Buffer> {
      if (chunks.empty()) return base::DataLoss("the file ends");
      ASSIGN_OR_RETURN(base::Buffer chunk, base::Buffer::Create(chunks.front().size(), base::DefaultMemory()));
      if (chunk.size() > 0) std::memcpy(chunk.data(), chunks.front().data(), chunk.size());
      chunks.pop_front();
      return chunk;
    });
  }
  static base::Status LoadDocuments(LiveIndex& index, std::deque<std::string> section) {
    base::SectionReader in = Reader(section);
    return index.LoadDocuments(in);
  }
  static base::Status LoadGraph(LiveIndex& index, size_t field, std::deque<std::string> section) {
    base::SectionReader in = Reader(section);
    return index.LoadGraph(field, in);
  }

  std::shared_ptr<LiveIndex> index_;
};

TEST_F(IndexFileTest, LoadedVectorsMeetTheirKeys) {
  PutMany(300);
  index_->Remove("key17");
  auto sections = Save();
  std::shared_ptr<LiveIndex> loaded = Create();
  ASSERT_TRUE(LoadDocuments(*loaded, sections[0]).ok());
  for (size_t field : {1, 2}) ASSERT_TRUE(LoadGraph(*loaded, field, sections[field]).ok());
  for (uint32_t i = 0; i < 300; ++i) {  // 17 and 30 have gone, 40 has another vector, and 1000 is new
    if (i != 17 && i != 30) Put(*loaded, i, i == 40 ? 5000 : i);
  }
  Put(*loaded, 1000, 1000);
  EXPECT_EQ(loaded->Stats().staged_vectors, 2u + 2u) << "both graphs of 40 and of 1000, and no other";
  EXPECT_EQ(loaded->DropUnconfirmed(), 1u);
  EXPECT_EQ(loaded->DropUnconfirmed(), 0u);
  EXPECT_EQ(loaded->Stats().documents, 299u);
  EXPECT_EQ(Nearest(*loaded, "vec", 41), "key41");
  EXPECT_EQ(Nearest(*loaded, "far", 42), "key42");
  EXPECT_NE(Nearest(*loaded, "vec", 30), "key30");
  EXPECT_EQ(Nearest(*loaded, "vec", 5000), "key40");
  EXPECT_EQ(Nearest(*loaded, "far", 1000), "key1000");
}

TEST_F(IndexFileTest, AKeyThatIsDeletedWhileAFileIsLoadedStaysDeleted) {
  PutMany(10);
  auto sections = Save();
  std::shared_ptr<LiveIndex> loaded = Create();
  ASSERT_TRUE(LoadDocuments(*loaded, sections[0]).ok());
  ASSERT_TRUE(LoadGraph(*loaded, 1, sections[1]).ok());
  loaded->Remove("key3");
  for (uint32_t i = 100; i < 110; ++i) Put(*loaded, i, i);  // one takes the id of key3
  EXPECT_EQ(loaded->DropUnconfirmed(), 9u);
  EXPECT_EQ(loaded->Stats().documents, 10u);
  EXPECT_EQ(Nearest(*loaded, "vec", 105), "key105");
}

TEST_F(IndexFileTest, ADamagedOrUnfitPartLeavesTheIndexUsable) {
  PutMany(50);
  auto sections = Save();
  for (size_t part = 0; part < 3; ++part) {
    auto damaged = sections;
    damaged[part][0][damaged[part][0].size() / 2] ^= 1;
    std::shared_ptr<LiveIndex> loaded = Create();
    const bool documents = LoadDocuments(*loaded, damaged[0]).ok();
    EXPECT_EQ(documents, part != 0);
    if (documents) {
      EXPECT_EQ(LoadGraph(*loaded, 1, damaged[1]).ok(), part != 1);
      EXPECT_EQ(LoadGraph(*loaded, 2, damaged[2]).ok(), part != 2);
    }
    for (uint32_t i = 0; i < 50; ++i) Put(*loaded, i, i);
    EXPECT_EQ(loaded->DropUnconfirmed(), 0u);
    EXPECT_EQ(Nearest(*loaded, "vec", 13), "key13");
    EXPECT_EQ(Nearest(*loaded, "far", 14), "key14");
  }
  std::shared_ptr<LiveIndex> other = Create("16");
  ASSERT_TRUE(LoadDocuments(*other, sections[0]).ok());
  EXPECT_EQ(LoadGraph(*other, 1, sections[1]).code(), base::StatusCode::kFailedPrecondition);
  EXPECT_EQ(LoadGraph(*other, 0, sections[1]).code(), base::StatusCode::kFailedPrecondition) << "no graph";
  EXPECT_EQ(LoadGraph(*other, 99, sections[1]).code(), base::StatusCode::kDataLoss) << "no such field";
  EXPECT_EQ(other->DropUnconfirmed(), 50u);
}

TEST_F(IndexFileTest, AKeyThatIsThereTwiceIsDamage) {
  std::deque<std::string> section;
  base::SectionWriter out([&](std::span<const std::byte> chunk) {
    section.emplace_back(reinterpret_cast<const char*>(chunk.data()), chunk.size());
  });
  out.Number(uint32_t{2});
  for (int i = 0; i < 2; ++i) {
    out.Number(uint32_t{1});
    out.Number('a');
  }
  out.Finish();
  EXPECT_EQ(LoadDocuments(*index_, section).code(), base::StatusCode::kDataLoss);
  EXPECT_EQ(index_->Stats().documents, 0u);
}

}  // namespace
}  // namespace redoubt::search
