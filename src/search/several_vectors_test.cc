// VECTOR fields of JSON documents that have several vectors.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <span>

#include "search/create_parser.h"
#include "search/index.h"
#include "search/rank.h"
#include "search/vector_owners.h"

namespace redoubt::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Vectors = std::vector<std::vector<float>>;

constexpr size_t kDim = 8;

TEST(VectorOwnersTest, IdsAreKeptWhileADocumentKeepsItsVectorsAndGivenOutAgain) {
  base::StdMemoryAdapter memory(base::DefaultMemory());
  VectorOwners owners(&memory);
  std::vector<Id> dropped;
  const auto drop = [&](Id id) { dropped.push_back(id); };
  const auto first = owners.Resize(7, 3, drop);
  const std::vector<Id> before(first.begin(), first.end());
  EXPECT_THAT(before, ElementsAre(0, 1, 2));
  owners.Resize(7, 2, drop);
  EXPECT_THAT(std::vector<Id>(owners.Of(7).begin(), owners.Of(7).end()), ElementsAre(0, 1));
  EXPECT_THAT(dropped, ElementsAre(2));
  EXPECT_THAT(owners.Resize(0, 2, drop)[0], 2u);
  EXPECT_EQ(owners.size(), 4u);
  EXPECT_EQ(owners.most(), 2u);
  owners.Resize(7, 0, drop);
  owners.Resize(0, 0, drop);
  EXPECT_EQ(owners.size(), 0u);
  EXPECT_EQ(owners.most(), 0u);
  EXPECT_TRUE(owners.Of(99).empty());
}

TEST(VectorOwnersTest, HitsBecomeDocumentsOnceEachNearestFirst) {
  base::StdMemoryAdapter memory(base::DefaultMemory());
  VectorOwners owners(&memory);
  const auto drop = [](Id) {};
  owners.Resize(4, 2, drop);  // vectors 0, 1
  owners.Resize(9, 1, drop);  // 2
  owners.Resize(1, 1, drop);  // 3
  owners.Resize(1, 0, drop);
  EXPECT_THAT(owners.Documents({{2, 0.5}, {0, 3}, {3, 0.1}, {1, 0.25}, {77, 0}}),
              ElementsAre(vector::Hit{4, 0.25}, vector::Hit{9, 0.5}));
  EXPECT_EQ(owners.VectorsFor(1), 1u);
  EXPECT_EQ(owners.VectorsFor(2), 3u);
  EXPECT_EQ(owners.VectorsFor(SIZE_MAX), 3u);
}

class SeveralVectorsTest : public testing::TestWithParam<const char*> {
 protected:
  SeveralVectorsTest() {
    const std::string dim = std::to_string(kDim);
    std::vector<std::string_view> args = {
        "i",    "ON",      "JSON", "SCHEMA", "$.v[*]",          "AS", "v",   "VECTOR", GetParam(), "6",
        "TYPE", "FLOAT32", "DIM",  dim,      "DISTANCE_METRIC", "L2", "$.n", "AS",     "n",        "NUMERIC"};
    index_ = Index::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  }

  static std::string Blob(const Vectors& vectors) {
    std::string blob;
    for (const auto& vector : vectors) blob.append(reinterpret_cast<const char*>(vector.data()), kDim * sizeof(float));
    return blob;
  }

  Status Put(const std::string& key, const Vectors& vectors, int number) {
    const std::string blob = Blob(vectors);
    const std::string text = std::to_string(number);
    std::vector<std::optional<std::string_view>> values = {{}, text};
    if (!vectors.empty()) values[0] = blob;
    documents_[key] = {vectors, number};
    return index_->Put(key, values);
  }

  void Remove(const std::string& key) {
    index_->Remove(key);
    documents_.erase(key);
  }

  void Link() {
    for (const auto& graph : index_->Graphs()) {
      while (graph->ConnectStaged(64)) {
      }
    }
  }

  static double Distance(const std::vector<float>& query, const Vectors& vectors) {
    double best = std::numeric_limits<double>::infinity();
    for (const auto& vector : vectors) {
      double sum = 0;
      for (size_t i = 0; i < kDim; ++i) sum += double{vector[i] - query[i]} * double{vector[i] - query[i]};
      best = std::min(best, sum);
    }
    return best;
  }

  SearchOutcome Run(const std::string& text, const std::vector<float>& query) {
    const std::string blob = Blob({query});
    const std::vector<std::string_view> args = {text, "PARAMS", "2", "b", blob, "DIALECT", "2", "LIMIT", "0", "1000"};
    Result<SearchPlan> plan = PlanSearch(args, index_->definition());
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    SearchOutcome outcome = index_->Search(*plan);
    const auto measure = [&](const FoundDocument& document) -> std::optional<double> {
      return Distance(query, documents_.at(document.key).first);
    };
    RankCandidates(*plan, measure, outcome);
    return outcome;
  }

  // By reading them all: keys of the documents with a number of at least `least`, nearest first.
  std::vector<std::string> Nearest(const std::vector<float>& query, size_t k, int least) const {
    std::vector<std::pair<double, std::string>> all;
    for (const auto& [key, document] : documents_) {
      if (document.first.empty() || document.second < least) continue;
      all.emplace_back(Distance(query, document.first), key);
    }
    std::sort(all.begin(), all.end());
    std::vector<std::string> keys;
    for (size_t i = 0; i < std::min(k, all.size()); ++i) keys.push_back(all[i].second);
    return keys;
  }

  std::vector<float> RandomVector() {
    std::normal_distribution<float> normal;
    std::vector<float> vector(kDim);
    for (float& element : vector) element = normal(random_);
    return vector;
  }

  // Vectors of a document lie together, so that the nearest vectors are often those of one.
  Vectors RandomVectors(size_t count) {
    const std::vector<float> middle = RandomVector();
    Vectors vectors(count, middle);
    for (auto& vector : vectors) {
      for (float& element : vector) element += std::normal_distribution<float>(0, 0.1F)(random_);
    }
    return vectors;
  }

  std::mt19937 random_{7};
  std::unique_ptr<Index> index_;
  std::map<std::string, std::pair<Vectors, int>> documents_;
};

TEST_P(SeveralVectorsTest, FindsTheDocumentsWithTheNearestVectorsOnceEach) {
  for (int round = 0; round < 2000; ++round) {
    const std::string key = "d" + std::to_string(random_() % 300);
    if (random_() % 8 == 0) {
      Remove(key);
    } else {
      ASSERT_TRUE(Put(key, RandomVectors(random_() % 7), static_cast<int>(random_() % 100)).ok());
    }
    if (round == 1000) Link();
  }
  ASSERT_TRUE(Put("many", RandomVectors(200), 50).ok());
  for (bool linked : {false, true}) {
    if (linked) Link();
    size_t same = 0;
    size_t wanted = 0;
    for (int i = 0; i < 40; ++i) {
      const std::vector<float> query = i % 4 == 0 ? documents_.at("many").first[0] : RandomVector();
      const int least = i % 2 == 0 ? 0 : 60;
      const std::string filter = least == 0 ? "*" : "@n:[60 inf]";
      std::vector<std::string> found;
      for (const FoundDocument& document : Run("(" + filter + ")=>[KNN 10 @v $b]", query).documents) {
        EXPECT_NEAR(document.distance, Distance(query, documents_.at(document.key).first), 1e-3);
        found.push_back(document.key);
      }
      std::vector<std::string> exact = Nearest(query, 10, least);
      ASSERT_EQ(found.size(), exact.size());
      wanted += exact.size();
      std::sort(found.begin(), found.end());
      std::sort(exact.begin(), exact.end());
      ASSERT_EQ(std::unique(found.begin(), found.end()), found.end());
      std::vector<std::string> both;
      std::set_intersection(found.begin(), found.end(), exact.begin(), exact.end(), std::back_inserter(both));
      same += both.size();
    }
    const double recall = static_cast<double>(same) / static_cast<double>(wanted);
    EXPECT_GE(recall, GetParam() == std::string_view("FLAT") ? 1.0 : 0.97) << (linked ? "linked" : "staged");
  }
}

TEST_P(SeveralVectorsTest, ARangeHasADocumentOnceWithItsBestDistance) {
  const auto at = [](float x) { return std::vector<float>{x, 0, 0, 0, 0, 0, 0, 0}; };
  ASSERT_TRUE(Put("a", {at(1), at(3), at(90)}, 1).ok());
  ASSERT_TRUE(Put("b", {at(2)}, 2).ok());
  ASSERT_TRUE(Put("c", {at(50), at(60)}, 3).ok());
  ASSERT_TRUE(Put("none", {}, 4).ok());
  Link();
  const SearchOutcome found = Run("@v:[VECTOR_RANGE 9.5 $b]=>{$YIELD_DISTANCE_AS: d}", at(0));
  ASSERT_EQ(found.documents.size(), 2u);
  EXPECT_EQ(found.documents[0].key, "a");
  EXPECT_NEAR(found.documents[0].RangeDistance(0), 1, 0.05);
  EXPECT_NEAR(found.documents[1].RangeDistance(0), 4, 0.05);
  EXPECT_EQ(Run("-@v:[VECTOR_RANGE 9.5 $b]", at(0)).total, 2u);
}

TEST_P(SeveralVectorsTest, AWrongLengthOrAnInfiniteElementRefusesTheDocument) {
  const std::vector<float> good(kDim, 1);
  ASSERT_TRUE(Put("a", {good, good}, 1).ok());
  std::string blob = Blob({good, good});
  blob.pop_back();
  EXPECT_FALSE(index_->Put("a", std::vector<std::optional<std::string_view>>{blob, {}}).ok());
  EXPECT_FALSE(index_->Put("a", std::vector<std::optional<std::string_view>>{"", {}}).ok());
  EXPECT_EQ(index_->size(), 0u);
  EXPECT_THAT(Run("*=>[KNN 5 @v $b]", good).documents, IsEmpty());
}

using Chunks = std::deque<std::string>;

Chunks Saved(const std::function<void(base::SectionWriter&)>& save) {
  Chunks chunks;
  base::SectionWriter out([&](std::span<const std::byte> chunk) {
    chunks.emplace_back(reinterpret_cast<const char*>(chunk.data()), chunk.size());
  });
  save(out);
  out.Finish();
  return chunks;
}

base::SectionReader ReaderOf(Chunks& chunks) {
  return base::SectionReader([&chunks]() -> base::Result<base::Buffer> {
    if (chunks.empty()) return base::DataLoss("the file ends");
    ASSIGN_OR_RETURN(base::Buffer buffer, base::Buffer::Create(chunks.front().size(), base::DefaultMemory()));
    std::ranges::copy(std::as_bytes(std::span(chunks.front())), buffer.span().begin());
    chunks.pop_front();
    return buffer;
  });
}

TEST_P(SeveralVectorsTest, AGraphFromAFileLinksNothingAgain) {
  if (GetParam() == std::string_view("FLAT")) GTEST_SKIP() << "has no graph";
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(Put("d" + std::to_string(i), RandomVectors(random_() % 5), i).ok());
    if (i % 3 == 0) Remove("d" + std::to_string(random_() % 200));
  }
  Link();
  const Chunks documents = Saved([&](base::SectionWriter& out) { index_->SaveDocuments(out); });
  const Chunks graph = Saved([&](base::SectionWriter& out) { index_->SaveGraph(0, out); });
  const std::vector<float> query = RandomVector();
  const SearchOutcome before = Run("*=>[KNN 10 @v $b EF_RUNTIME 100]", query);

  std::unique_ptr<Index> loaded = Index::Create(index_->definition(), base::DefaultMemory()).value();
  Chunks copy = documents;
  base::SectionReader keys = ReaderOf(copy);
  ASSERT_TRUE(loaded->LoadDocuments(keys).ok());
  for (size_t at : {size_t{0}, size_t{4}, size_t{8}, size_t{21}, graph[0].size() / 2}) {
    Chunks damaged = graph;
    damaged[0][at] = static_cast<char>(damaged[0][at] ^ 0x55);
    base::SectionReader in = ReaderOf(damaged);
    EXPECT_FALSE(loaded->LoadGraph(0, in).ok()) << at;
  }
  copy = graph;
  base::SectionReader in = ReaderOf(copy);
  const Status read = loaded->LoadGraph(0, in);
  ASSERT_TRUE(read.ok()) << read.message();
  index_ = std::move(loaded);
  for (const auto& [key, document] : std::map(documents_)) {
    ASSERT_TRUE(Put(key, document.first, document.second).ok());
  }
  EXPECT_EQ(index_->DropUnconfirmed(), 0u);
  EXPECT_EQ(index_->Stats().staged_vectors, 0u);
  const SearchOutcome after = Run("*=>[KNN 10 @v $b EF_RUNTIME 100]", query);
  ASSERT_EQ(after.documents.size(), before.documents.size());
  for (size_t i = 0; i < after.documents.size(); ++i) EXPECT_EQ(after.documents[i].key, before.documents[i].key);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, SeveralVectorsTest, testing::Values("FLAT", "HNSW"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace redoubt::search
