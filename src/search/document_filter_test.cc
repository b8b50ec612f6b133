#include "search/document_filter.h"

#include <gtest/gtest.h>

#include "search/create_parser.h"
#include "search/index.h"

namespace redoubt::search {
namespace {

IndexDefinition Definition(std::vector<std::string_view> options) {
  std::vector<std::string_view> words = {"i"};
  words.insert(words.end(), options.begin(), options.end());
  const std::vector<std::string_view> schema = {"SCHEMA", "price", "AS", "cost", "NUMERIC", "body", "TEXT"};
  words.insert(words.end(), schema.begin(), schema.end());
  return ParseCreate(words).value();
}

TEST(DocumentFilterTest, AsksForFieldsWhereTheHashKeepsThem) {
  const DocumentFilter filter = DocumentFilter::Parse("@cost > 5 && @other == 'x'", Definition({})).value();
  EXPECT_EQ(filter.paths(), (std::vector<std::string>{"price", "other"}));
  EXPECT_TRUE(filter.Passes(Values{Value(std::string("7")), Value(std::string("x"))}));
  EXPECT_FALSE(filter.Passes(Values{Value(std::string("3")), Value(std::string("x"))}));
  EXPECT_FALSE(filter.Passes(Values{Value(), Value(std::string("x"))}));
  EXPECT_FALSE(filter.Passes(Values{Value(std::string("no number")), Value(std::string("x"))}));
}

TEST(DocumentFilterTest, FtCreateKeepsItAndItsFriends) {
  const IndexDefinition made =
      Definition({"FILTER", "@cost > 5", "TEMPORARY", "30", "INDEXALL", "ENABLE", "SCORE_FIELD", "s"});
  const std::vector<std::string> words = CreateArgs(made);
  const IndexDefinition again = ParseCreate(std::vector<std::string_view>(words.begin(), words.end())).value();
  EXPECT_EQ(again.filter, "@cost > 5");
  EXPECT_EQ(again.temporary_s, 30);
  EXPECT_EQ(again.score_field, "s");
  EXPECT_EQ(CreateArgs(again), words);
}

TEST(DocumentFilterTest, FtCreateRefusesWhatCannotBe) {
  auto refused = [](std::vector<std::string_view> options) {
    options.insert(options.begin(), "i");
    options.insert(options.end(), {"SCHEMA", "t", "TAG"});
    return ParseCreate(options).status().code() == base::StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused({"FILTER", "upper("}));
  EXPECT_TRUE(refused({"TEMPORARY", "0"}));
  EXPECT_TRUE(refused({"TEMPORARY", "soon"}));
  EXPECT_TRUE(refused({"INDEXALL", "MAYBE"}));
}

TEST(DocumentScoreTest, AScoreFieldCountsInTheOrderOfWhatIsFound) {
  const auto index = Index::Create(Definition({"SCORE", "0.5", "SCORE_FIELD", "s"}), base::DefaultMemory()).value();
  const auto put = [&](std::string_view key, std::optional<std::string_view> score) {
    const std::optional<std::string_view> values[] = {std::nullopt, "same words", score};
    ASSERT_TRUE(index->Put(key, values).ok());
  };
  put("low", "0.2");
  put("none", std::nullopt);
  put("high", "0.9");
  put("odd", "no number");
  put("beyond", "7");
  const std::vector<std::string_view> words = {"words", "SCORER", "DOCSCORE", "WITHSCORES"};
  const SearchOutcome found = index->Search(PlanSearch(words, index->definition()).value());
  std::vector<std::pair<std::string, double>> scores;
  for (const FoundDocument& document : found.documents) scores.emplace_back(document.key, document.score);
  ASSERT_EQ(scores.size(), 5u);
  EXPECT_EQ(scores[0].first, "high");
  EXPECT_NEAR(scores[0].second, 0.9, 1e-6);
  EXPECT_NEAR(scores[1].second, 0.5, 1e-6);  // that of FT.CREATE
  EXPECT_NEAR(scores[3].second, 0.5, 1e-6);
  EXPECT_EQ(scores[4].first, "low");
  put("low", "1");
  EXPECT_EQ(index->Search(PlanSearch(words, index->definition()).value()).documents[0].key, "low");
}

}  // namespace
}  // namespace redoubt::search
