// Fields of JSON documents that have several values.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "search/create_parser.h"
#include "search/index.h"
#include "search/numeric_index.h"

namespace redoubt::search {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(NumericIndexTest, ADocumentIsInARangeThatHasOneOfItsNumbers) {
  base::StdMemoryAdapter memory(base::DefaultMemory());
  NumericIndex index(true, &memory);
  std::mt19937 random(1);
  std::vector<std::vector<double>> documents(400);
  for (int round = 0; round < 3000; ++round) {
    const Id id = random() % documents.size();
    std::vector<double> values(random() % 5);
    for (double& value : values) value = static_cast<double>(random() % 1000) / 4;
    values.empty() ? index.Clear(id) : index.SetMany(id, values);
    documents[id] = std::move(values);
    if (round % 50 != 0) continue;
    NumericRange range;
    range.low = static_cast<double>(random() % 250);
    range.high = range.low + static_cast<double>(random() % (round % 100 == 0 ? 5 : 250));  // ordered, and the column
    IdSet found(documents.size());
    index.Collect(range, found);
    for (Id i = 0; i < documents.size(); ++i) {
      const bool wanted =
          std::any_of(documents[i].begin(), documents[i].end(), [&](double value) { return range.Contains(value); });
      ASSERT_EQ(found.Contains(i), wanted) << round << " " << i;
      ASSERT_TRUE(documents[i].empty() || index.Value(i) == documents[i][0]) << round << " " << i;
    }
  }
  for (Id i = 0; i < documents.size(); ++i) index.Clear(i);
  EXPECT_EQ(index.size(), 0u);
}

class JsonArraysTest : public testing::Test {
 protected:
  JsonArraysTest() {
    std::vector<std::string_view> args = {"i",       "ON",  "JSON", "SCHEMA", "$.n",  "AS",      "n",
                                          "NUMERIC", "$.t", "AS",   "t",      "TEXT", "SORTABLE"};
    index_ = Index::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  }

  Status Put(std::string_view key, std::optional<std::string_view> numbers, std::optional<std::string_view> text = {}) {
    return index_->Put(key, std::vector<std::optional<std::string_view>>{numbers, text});
  }

  std::vector<std::string> Keys(std::vector<std::string_view> args) {
    args.insert(args.end(), {"DIALECT", "2"});
    Result<SearchPlan> plan = PlanSearch(args, index_->definition());
    EXPECT_TRUE(plan.ok()) << plan.status().message();
    std::vector<std::string> keys;
    for (FoundDocument& document : index_->Search(*plan).documents) keys.push_back(document.key);
    return keys;
  }

  std::unique_ptr<Index> index_;
};

TEST_F(JsonArraysTest, NumbersOfAnArrayAreFoundAndTheFirstIsSortedBy) {
  ASSERT_TRUE(Put("a", "90,5").ok());
  ASSERT_TRUE(Put("b", "40,60,40").ok());
  ASSERT_TRUE(Put("c", "10").ok());
  EXPECT_THAT(Keys({"@n:[5 10]"}), UnorderedElementsAre("a", "c"));
  EXPECT_THAT(Keys({"@n:[60 60]"}), ElementsAre("b"));
  EXPECT_THAT(Keys({"@n:[41 59]"}), IsEmpty());
  EXPECT_THAT(Keys({"@n>=90"}), ElementsAre("a"));
  EXPECT_THAT(Keys({"-@n:[40 40]"}), UnorderedElementsAre("a", "c"));
  EXPECT_THAT(Keys({"*", "SORTBY", "n"}), ElementsAre("c", "b", "a"));
  EXPECT_EQ(index_->Stats().records, 5u);
  ASSERT_TRUE(Put("a", "7").ok());
  EXPECT_THAT(Keys({"@n:[90 90]"}), IsEmpty());
  index_->Remove("b");
  EXPECT_THAT(Keys({"@n:[60 60]"}), IsEmpty());
}

TEST_F(JsonArraysTest, OneMalformedNumberRefusesTheDocument) {
  for (const char* bad : {"1,\"2\"", "true", "1,", ",", "[1,2]"}) {
    EXPECT_EQ(Put("a", bad).message(), fmt::format("Invalid numeric value: '{}'", bad));
  }
  EXPECT_EQ(index_->size(), 0u);
}

TEST_F(JsonArraysTest, ARowOfWordsEndsWithItsText) {
  ASSERT_TRUE(Put("a", {}, std::string_view("red apple\0green pear", 20)).ok());
  ASSERT_TRUE(Put("b", {}, "apple green").ok());
  EXPECT_THAT(Keys({"apple green"}), UnorderedElementsAre("a", "b"));
  EXPECT_THAT(Keys({"\"apple green\""}), ElementsAre("b"));
  EXPECT_THAT(Keys({"\"green pear\""}), ElementsAre("a"));
  EXPECT_THAT(Keys({"apple green", "SLOP", "5"}), ElementsAre("b"));
  EXPECT_THAT(Keys({"*", "SORTBY", "t", "DESC"}), ElementsAre("a", "b"));  // red apple, apple green
}

}  // namespace
}  // namespace redoubt::search
