#include "search/index.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "search/create_parser.h"

namespace redoubt::search {
namespace {

std::string Blob(float x, float y) {
  std::string blob(8, '\0');
  std::memcpy(blob.data(), &x, 4);
  std::memcpy(blob.data() + 4, &y, 4);
  return blob;
}

struct Doc {
  std::optional<std::string> vec;
  std::optional<std::string> tag;
  std::optional<std::string> num;
};

class IndexTest : public testing::Test {
 protected:
  IndexTest() {
    std::vector<std::string_view> args = {"i",       "SCHEMA", "vec", "VECTOR",          "FLAT", "6",   "TYPE",
                                          "FLOAT32", "DIM",    "2",   "DISTANCE_METRIC", "L2",   "tag", "TAG",
                                          "num",     "NUMERIC"};
    index_ = Index::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  }

  Status Put(std::string_view key, const Doc& doc) {
    std::vector<std::optional<std::string_view>> values = {doc.vec, doc.tag, doc.num};
    return index_->Put(key, values);
  }

  SearchOutcome Run(std::vector<std::string_view> args) {
    Result<SearchPlan> plan = PlanSearch(args, index_->definition());
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    return index_->Search(*plan);
  }

  std::vector<std::string> Keys(std::vector<std::string_view> args) {
    std::vector<std::string> keys;
    for (FoundDocument& document : Run(std::move(args)).documents) keys.push_back(document.key);
    return keys;
  }

  std::unique_ptr<Index> index_;
};

using KeyList = std::vector<std::string>;

TEST_F(IndexTest, FindsByTagAndNumberInOrderOfArrival) {
  ASSERT_TRUE(Put("c", {{}, "Red, blue", "3"}).ok());
  ASSERT_TRUE(Put("a", {{}, "red", "1"}).ok());
  ASSERT_TRUE(Put("b", {{}, "green", "2"}).ok());
  EXPECT_EQ(Keys({"@tag:{RED}"}), (KeyList{"c", "a"}));
  EXPECT_EQ(Keys({"@tag:{blue|green}"}), (KeyList{"c", "b"}));
  EXPECT_EQ(Keys({"@tag:{re*}"}), (KeyList{"c", "a"}));
  EXPECT_EQ(Keys({"@num:[(1 3]"}), (KeyList{"c", "b"}));
  EXPECT_EQ(Keys({"-@tag:{red}", "DIALECT", "2"}), (KeyList{"b"}));
  EXPECT_EQ(Keys({"*", "FILTER", "num", "(1", "+inf"}), (KeyList{"c", "b"}));
}

TEST_F(IndexTest, SortsAndPages) {
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(Put("k" + std::to_string(i), {{}, i % 2 ? "odd" : "even", std::to_string(i * 7 % 50)}).ok());
  }
  ASSERT_TRUE(Put("none", {{}, {}, {}}).ok());
  EXPECT_EQ(Keys({"*", "SORTBY", "num", "DESC", "LIMIT", "0", "2"}), (KeyList{"k7", "k14"}));
  EXPECT_EQ(Keys({"*", "SORTBY", "num", "LIMIT", "50", "5"}), (KeyList{"none"}));
  EXPECT_EQ(Keys({"*", "SORTBY", "tag", "LIMIT", "0", "1"}), (KeyList{"k0"}));
  EXPECT_EQ(Run({"*", "LIMIT", "0", "0"}).total, 51u);
  EXPECT_EQ(Run({"*"}).documents.size(), 10u);
}

TEST_F(IndexTest, NearestComeFirstAndCarryTheirDistance) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Put("k" + std::to_string(i), {Blob(static_cast<float>(i), 0), i % 2 ? "odd" : "even", {}}).ok());
  }
  std::string origin = Blob(0, 0);
  SearchOutcome outcome = Run({"@tag:{odd}=>[KNN 3 @vec $b]", "PARAMS", "2", "b", origin, "DIALECT", "2"});
  EXPECT_EQ(outcome.total, 3u);
  ASSERT_EQ(outcome.documents.size(), 3u);
  EXPECT_EQ(outcome.documents[1].key, "k3");
  EXPECT_EQ(outcome.documents[1].distance, 9);
  EXPECT_EQ(Keys({"*=>[KNN 3 @vec $b AS d]", "SORTBY", "d", "DESC", "PARAMS", "2", "b", origin, "DIALECT", "2"}),
            (KeyList{"k2", "k1", "k0"}));
}

TEST_F(IndexTest, DropsTheWholeDocumentForOneMalformedFieldAndCountsIt) {
  ASSERT_TRUE(Put("a", {Blob(1, 1), "red", "1"}).ok());
  Status status = Put("a", {"abc", "red", "1"});
  EXPECT_EQ(status.message(), "Could not add vector with blob size 3 (expected size 8)");
  EXPECT_EQ(index_->size(), 0u);
  EXPECT_TRUE(Keys({"@tag:{red}"}).empty());
  EXPECT_FALSE(Put("b", {{}, "red", "one"}).ok());
  IndexStats stats = index_->Stats();
  EXPECT_EQ(stats.failures.count, 2u);
  EXPECT_EQ(stats.failures.last_key, "b");
  EXPECT_EQ(stats.field_failures[0].count, 1u);
  EXPECT_EQ(stats.records, 0u);
}

// A reference that keeps plain documents and answers by looking at each.
class Reference {
 public:
  std::map<std::string, Doc> docs;

  std::set<std::string> Matching(const std::string& tag, double low, double high, bool negate_tag) const {
    std::set<std::string> keys;
    for (const auto& [key, doc] : docs) {
      bool has_tag = doc.tag && ("," + *doc.tag + ",").find("," + tag + ",") != std::string::npos;
      bool in_range = doc.num && std::stod(*doc.num) >= low && std::stod(*doc.num) <= high;
      if (has_tag != negate_tag && in_range) keys.insert(key);
    }
    return keys;
  }
};

TEST_F(IndexTest, AgreesWithAReferenceThroughRandomChanges) {
  Reference reference;
  std::mt19937 random(11);
  auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  for (int step = 0; step < 20'000; ++step) {
    std::string key = "k" + std::to_string(random() % 800);
    if (chance(30)) {
      EXPECT_EQ(index_->Remove(key), reference.docs.erase(key) == 1);
      continue;
    }
    Doc doc;
    if (chance(80)) doc.vec = Blob(static_cast<float>(random() % 100), static_cast<float>(random() % 100));
    if (chance(80))
      doc.tag = chance(50) ? "t" + std::to_string(random() % 5) : "t1,t2,x" + std::to_string(random() % 300);
    if (chance(80)) doc.num = std::to_string(random() % 1000);
    ASSERT_TRUE(Put(key, doc).ok());
    reference.docs[key] = doc;
  }
  ASSERT_EQ(index_->size(), reference.docs.size());
  for (int round = 0; round < 60; ++round) {
    int low = static_cast<int>(random() % 1000);
    int high = low + static_cast<int>(random() % (round < 30 ? 20 : 1000));
    std::string tag = "t" + std::to_string(random() % 5);
    bool negate = chance(50);
    std::string filter = fmt::format("{}@tag:{{{}}} @num:[{} {}]", negate ? "-" : "", tag, low, high);
    std::set<std::string> want = reference.Matching(tag, low, high, negate);
    std::vector<std::string> got = Keys({filter, "LIMIT", "0", "1000", "DIALECT", "2"});
    EXPECT_EQ(std::set<std::string>(got.begin(), got.end()), want) << filter;

    std::string query = Blob(50, 50);
    std::string knn = "(" + filter + ")=>[KNN 5 @vec $b]";
    std::vector<float> want_distances;
    for (const std::string& key : want) {
      const auto& vec = reference.docs[key].vec;
      if (!vec) continue;
      float xy[2];
      std::memcpy(xy, vec->data(), 8);
      want_distances.push_back((xy[0] - 50) * (xy[0] - 50) + (xy[1] - 50) * (xy[1] - 50));
    }
    std::sort(want_distances.begin(), want_distances.end());
    if (want_distances.size() > 5) want_distances.resize(5);
    std::vector<float> distances;
    for (const auto& found : Run({knn, "PARAMS", "2", "b", query, "DIALECT", "2"}).documents) {
      distances.push_back(static_cast<float>(found.distance));
    }
    EXPECT_EQ(distances, want_distances) << knn;
  }
}

TEST_F(IndexTest, GivesMemoryBackWhenDocumentsLeave) {
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(Put("key:" + std::to_string(i), {Blob(1, 2), "tag" + std::to_string(i), std::to_string(i)}).ok());
  }
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(index_->Remove("key:" + std::to_string(i)));
  IndexStats stats = index_->Stats();
  EXPECT_EQ(stats.distinct_tags, 0u);
  EXPECT_EQ(stats.records, 0u);
  EXPECT_EQ(stats.documents, 0u);
}

TEST_F(IndexTest, ChecksTheOptionsOfASearch) {
  auto error = [&](std::vector<std::string_view> args) {
    return PlanSearch(args, index_->definition()).status().message();
  };
  EXPECT_EQ(error({"*", "LIMIT", "0", "1000001"}), "LIMIT exceeds maximum of 1000000");
  EXPECT_EQ(error({"*", "SORTBY", "zz"}), "Property `zz` not loaded nor in schema");
  EXPECT_EQ(error({"*", "DIALECT", "9"}), "DIALECT requires a non negative integer >=1 and <= 4");
  EXPECT_EQ(error({"*", "FOO"}), "Unknown argument `FOO` at position 1 for <main>");
  EXPECT_EQ(error({"*", "PARAMS", "1", "b"}), "Parameters must be specified in PARAM VALUE pairs");
  EXPECT_EQ(error({"*", "PARAMS", "4", "b", "1", "b", "2"}), "Duplicate parameter `b`");
  EXPECT_EQ(error({"*", "PARAMS", "18446744073709551614", "b"}),
            "Bad arguments for PARAMS: Expected an argument, but none provided");
}

}  // namespace
}  // namespace redoubt::search
