// TEXT fields as FT.CREATE makes them and FT.SEARCH asks for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "search/create_parser.h"
#include "search/index.h"

namespace redoubt::search {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class TextSearchTest : public testing::Test {
 protected:
  void Create(std::vector<std::string_view> args) {
    args.insert(args.begin(), "i");
    index_ = Index::Create(ParseCreate(args).value(), base::DefaultMemory()).value();
  }

  void Put(std::string_view key, std::vector<std::optional<std::string_view>> values) {
    values.resize(index_->definition().fields.size());
    EXPECT_TRUE(index_->Put(key, values).ok());
  }

  // title, body: TEXT; n: NUMERIC.
  void CreateArticles() {
    Create({"SCHEMA", "title", "TEXT", "WEIGHT", "2", "body", "TEXT", "n", "NUMERIC"});
    Put("fox", {"The quick brown fox", "jumps over the lazy dog", "1"});
    Put("dog", {"Lazy dogs", "A dog sleeps; the quick fox does not", "2"});
    Put("cat", {"Cats", "brown cats run and running cats ran quickly", "3"});
  }

  SearchOutcome Run(std::string_view query, std::vector<std::string_view> options = {"DIALECT", "2"}) {
    options.insert(options.begin(), query);
    Result<SearchPlan> plan = PlanSearch(options, index_->definition());
    EXPECT_TRUE(plan.ok()) << query << ": " << plan.status().message();
    return plan.ok() ? index_->Search(*plan) : SearchOutcome();
  }

  std::vector<std::string> Keys(std::string_view query, std::vector<std::string_view> options = {"DIALECT", "2"}) {
    std::vector<std::string> keys;
    for (FoundDocument& document : Run(query, std::move(options)).documents) keys.push_back(document.key);
    return keys;
  }

  std::string Error(std::string_view query, std::vector<std::string_view> options = {"DIALECT", "2"}) {
    options.insert(options.begin(), query);
    return PlanSearch(options, index_->definition()).status().message();
  }

  std::unique_ptr<Index> index_;
};

TEST_F(TextSearchTest, FindsWordsInAnyTextField) {
  CreateArticles();
  EXPECT_THAT(Keys("fox"), UnorderedElementsAre("fox", "dog"));
  EXPECT_THAT(Keys("FOX brown"), ElementsAre("fox"));
  EXPECT_THAT(Keys("fox | cats"), UnorderedElementsAre("fox", "dog", "cat"));
  EXPECT_THAT(Keys("nowhere"), IsEmpty());
}

TEST_F(TextSearchTest, FindsWordsInNamedFields) {
  CreateArticles();
  EXPECT_THAT(Keys("@title:fox"), ElementsAre("fox"));
  EXPECT_THAT(Keys("@body:(quick fox)"), ElementsAre("dog"));
  EXPECT_THAT(Keys("@body:(cats|sleeps)"), UnorderedElementsAre("cat", "dog"));
  EXPECT_THAT(Keys("@title|body:quick"), UnorderedElementsAre("fox", "dog", "cat"));  // quickly has its stem
  EXPECT_THAT(Keys("@title:lazy @body:sleeps"), ElementsAre("dog"));
  EXPECT_THAT(Keys("@body:lazy | @title:cats"), UnorderedElementsAre("fox", "cat"));
  EXPECT_THAT(Keys("@body:-fox"), UnorderedElementsAre("fox", "cat"));
}

TEST_F(TextSearchTest, FindsOtherFormsOfAWordUnlessVerbatim) {
  CreateArticles();
  EXPECT_THAT(Keys("dog"), UnorderedElementsAre("dog", "fox"));
  EXPECT_THAT(Keys("@title:dog"), ElementsAre("dog"));
  EXPECT_THAT(Keys("@title:dog", {"VERBATIM"}), IsEmpty());
  EXPECT_THAT(Keys("@title:dogs", {"VERBATIM"}), ElementsAre("dog"));
  EXPECT_THAT(Keys("run"), ElementsAre("cat"));
  EXPECT_THAT(Keys("quickly"), UnorderedElementsAre("fox", "dog", "cat"));
}

TEST_F(TextSearchTest, NoStemAndLanguageDecideForms) {
  Create({"LANGUAGE", "German", "SCHEMA", "a", "TEXT", "b", "TEXT", "NOSTEM"});
  Put("1", {"die Häuser", "Häuser"});
  EXPECT_THAT(Keys("@a:haus"), ElementsAre("1"));
  EXPECT_THAT(Keys("@b:haus"), IsEmpty());
  EXPECT_THAT(Keys("@b:HÄUSER"), ElementsAre("1"));
  EXPECT_THAT(Keys("@a:haus", {"LANGUAGE", "korean"}), IsEmpty());
  EXPECT_THAT(Error("a", {"LANGUAGE", "klingon"}), HasSubstr("Invalid language `klingon`"));
}

TEST_F(TextSearchTest, FindsPhrases) {
  CreateArticles();
  EXPECT_THAT(Keys("\"brown fox\""), ElementsAre("fox"));
  EXPECT_THAT(Keys("\"fox brown\""), IsEmpty());
  EXPECT_THAT(Keys("@title:\"quick brown fox\""), ElementsAre("fox"));
  EXPECT_THAT(Keys("@body:\"quick brown fox\""), IsEmpty());
  EXPECT_THAT(Keys("\"over the lazy dog\""), ElementsAre("fox"));  // stop words are left out on both sides
  EXPECT_THAT(Keys("\"Quick, FOX!\""), ElementsAre("dog"));
  EXPECT_THAT(Keys("\"dog sleep\""), IsEmpty());  // no other forms in quotes
  EXPECT_THAT(Keys("-\"quick fox\" quick", {"DIALECT", "2"}), UnorderedElementsAre("fox", "cat"));
}

TEST_F(TextSearchTest, SlopAndOrderBoundTheDistance) {
  Create({"SCHEMA", "t", "TEXT"});
  Put("ab", {"alpha beta"});
  Put("ba", {"beta alpha"});
  Put("a1b", {"alpha one beta"});
  Put("b2a", {"beta one two alpha"});
  EXPECT_THAT(Keys("(alpha beta)=>{$slop:0}"), UnorderedElementsAre("ab", "ba"));
  EXPECT_THAT(Keys("(alpha beta)=>{$slop:0; $inorder:true}"), ElementsAre("ab"));
  EXPECT_THAT(Keys("(alpha beta)=>{$slop:1; $inorder:true}"), UnorderedElementsAre("ab", "a1b"));
  EXPECT_THAT(Keys("(alpha beta)=>{$inorder:true}"), UnorderedElementsAre("ab", "a1b"));
  EXPECT_THAT(Keys("\"alpha beta\"=>{$slop:2; $inorder:false}").size(), 4u);
  EXPECT_THAT(Keys("alpha beta", {"SLOP", "0"}), UnorderedElementsAre("ab", "ba"));
  EXPECT_THAT(Keys("alpha beta", {"INORDER"}), UnorderedElementsAre("ab", "a1b"));
  EXPECT_THAT(Keys("alpha beta", {"SLOP", "1", "INORDER"}), UnorderedElementsAre("ab", "a1b"));
  EXPECT_THAT(Keys("(alpha beta)=>{$slop:1}", {"SLOP", "0", "DIALECT", "2"}), UnorderedElementsAre("ab", "ba", "a1b"));
  EXPECT_EQ(Error("(a1 b1)=>{$slop:x}"), "Invalid value (x) for `SLOP`");
  EXPECT_EQ(Error("a1=>{$foo:1}"), "Invalid attribute FOO");
}

TEST_F(TextSearchTest, FindsPartsOfWords) {
  CreateArticles();
  EXPECT_THAT(Keys("qui*"), UnorderedElementsAre("fox", "dog", "cat"));
  EXPECT_THAT(Keys("@body:run*"), ElementsAre("cat"));
  EXPECT_THAT(Keys("*umps"), ElementsAre("fox"));
  EXPECT_THAT(Keys("*ee*"), ElementsAre("dog"));
  EXPECT_THAT(Keys("lazy*"), UnorderedElementsAre("fox", "dog"));
  EXPECT_THAT(Keys("zz*"), IsEmpty());
  EXPECT_EQ(Error("q*"), "A part of a word needs at least 2 letters: at offset 0 near q");
}

TEST_F(TextSearchTest, AnExpansionIsBounded) {
  Create({"SCHEMA", "t", "TEXT"});
  for (int i = 1000; i < 1500; ++i) Put(std::to_string(i), {"w" + std::to_string(i)});
  EXPECT_EQ(Run("w1*").total, 200u);
}

TEST_F(TextSearchTest, FindsKoreanInsideWords) {
  Create({"SCHEMA", "t", "TEXT"});
  Put("lag", {"복제지연이 길어졌습니다"});
  Put("mem", {"메모리 사용량과 물 부족"});
  EXPECT_THAT(Keys("복제"), ElementsAre("lag"));
  EXPECT_THAT(Keys("지연"), ElementsAre("lag"));
  EXPECT_THAT(Keys("복제지연"), ElementsAre("lag"));
  EXPECT_THAT(Keys("제지연이"), ElementsAre("lag"));
  EXPECT_THAT(Keys("지연복제"), IsEmpty());
  EXPECT_THAT(Keys("복제연이"), IsEmpty());
  EXPECT_THAT(Keys("사용량 메모리"), ElementsAre("mem"));
  EXPECT_THAT(Keys("\"메모리 사용\""), ElementsAre("mem"));
  EXPECT_THAT(Keys("\"사용 메모리\""), IsEmpty());
  EXPECT_THAT(Keys("물"), ElementsAre("mem"));
  EXPECT_THAT(Keys("복*"), ElementsAre("lag"));
  EXPECT_THAT(Keys("메모*"), ElementsAre("mem"));
  EXPECT_THAT(Keys("복제 -길어"), IsEmpty());
}

TEST_F(TextSearchTest, StopWordsAreNeitherKeptNorAsked) {
  CreateArticles();
  EXPECT_THAT(Keys("the fox"), UnorderedElementsAre("fox", "dog"));
  EXPECT_THAT(Keys("the"), IsEmpty());
  EXPECT_THAT(Keys("fox -the"), UnorderedElementsAre("fox", "dog"));
  EXPECT_THAT(Keys("the | cats"), ElementsAre("cat"));
  EXPECT_THAT(Keys("the fox", {"NOSTOPWORDS"}), IsEmpty());
}

TEST_F(TextSearchTest, StopWordsCanBeReplaced) {
  Create({"STOPWORDS", "1", "Foo", "SCHEMA", "t", "TEXT"});
  Put("1", {"the foo"});
  EXPECT_THAT(Keys("the"), ElementsAre("1"));
  EXPECT_THAT(Keys("foo"), IsEmpty());
  Create({"STOPWORDS", "0", "SCHEMA", "t", "TEXT"});
  Put("1", {"the foo"});
  EXPECT_THAT(Keys("\"the foo\""), ElementsAre("1"));
}

TEST_F(TextSearchTest, MixesWithOtherFields) {
  CreateArticles();
  EXPECT_THAT(Keys("quick @n:[2 3]"), UnorderedElementsAre("dog", "cat"));
  EXPECT_THAT(Keys("-fox"), ElementsAre("cat"));
  EXPECT_THAT(Keys("-fox -cats"), IsEmpty());
  EXPECT_THAT(Keys("*"), UnorderedElementsAre("fox", "dog", "cat"));
  EXPECT_THAT(Keys("$w", {"PARAMS", "2", "w", "lazy Sleeps", "DIALECT", "2"}), ElementsAre("dog"));
  EXPECT_THAT(Keys("@title:$w", {"PARAMS", "2", "w", "cats", "DIALECT", "2"}), ElementsAre("cat"));
  EXPECT_THAT(Keys("$w*", {"PARAMS", "2", "w", "jum", "DIALECT", "2"}), ElementsAre("fox"));
}

TEST_F(TextSearchTest, DialectOneBindsOrTighter) {
  CreateArticles();
  EXPECT_THAT(Keys("fox jumps|sleeps", {}), UnorderedElementsAre("fox", "dog"));
  EXPECT_THAT(Keys("cats | fox jumps", {}), ElementsAre("fox"));
  EXPECT_THAT(Keys("cats | fox jumps"), UnorderedElementsAre("cat", "fox"));
}

TEST_F(TextSearchTest, EscapesMakeOneWord) {
  Create({"SCHEMA", "t", "TEXT"});
  Put("one", {"hello\\-world"});
  Put("two", {"hello world"});
  EXPECT_THAT(Keys("hello\\-world"), ElementsAre("one"));
  EXPECT_THAT(Keys("hello-world"), IsEmpty());  // hello and not world
  EXPECT_THAT(Keys("hello, world."), ElementsAre("two"));
}

TEST_F(TextSearchTest, FindsMissingAndEmptyValues) {
  Create({"SCHEMA", "t", "TEXT", "INDEXMISSING", "INDEXEMPTY", "n", "NUMERIC", "INDEXMISSING", "u", "TEXT"});
  Put("none", {std::nullopt, "1"});
  Put("empty", {""});
  Put("full", {"word", "2"});
  EXPECT_THAT(Keys("ismissing(@t)"), ElementsAre("none"));
  EXPECT_THAT(Keys("ismissing(@n)"), ElementsAre("empty"));
  EXPECT_THAT(Keys("-ismissing(@t) @n:[0 9]"), ElementsAre("full"));
  EXPECT_THAT(Keys("@t:\"\""), ElementsAre("empty"));
  EXPECT_EQ(Error("ismissing(@u)"), "'ismissing' requires field 'u' to be defined with 'INDEXMISSING'");
  EXPECT_EQ(Error("@u:\"\""), "Use `INDEXEMPTY` in field creation in order to index and query for empty strings");
  index_->Remove("none");
  Put("other", {"x"});  // takes the freed id
  EXPECT_THAT(Keys("ismissing(@t)"), IsEmpty());
}

TEST_F(TextSearchTest, InKeysAndInFieldsNarrow) {
  CreateArticles();
  EXPECT_THAT(Keys("quick", {"INKEYS", "2", "dog", "nobody"}), ElementsAre("dog"));
  EXPECT_THAT(Keys("lazy", {"INFIELDS", "1", "title"}), ElementsAre("dog"));
  EXPECT_THAT(Keys("@body:lazy", {"INFIELDS", "1", "title"}), IsEmpty());
}

TEST_F(TextSearchTest, ScoresByBm25) {
  Create({"SCHEMA", "t", "TEXT"});
  Put("a", {"one two"});
  Put("b", {"one one three four"});
  const SearchOutcome outcome = Run("one");
  ASSERT_EQ(outcome.documents.size(), 2u);
  const double idf = std::log(1 + (2 - 2 + 0.5) / (2 + 0.5));
  const double b = idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 4 / 3));
  const double a = idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 3));
  EXPECT_EQ(outcome.documents[0].key, "b");
  EXPECT_DOUBLE_EQ(outcome.documents[0].score, b);
  EXPECT_DOUBLE_EQ(outcome.documents[1].score, a);
}

TEST_F(TextSearchTest, WeightsRaiseScores) {
  Create({"SCORE", "0.5", "SCHEMA", "title", "TEXT", "WEIGHT", "5", "body", "TEXT"});
  Put("body", {"nothing here", "needle"});
  Put("title", {"needle here", "nothing"});
  EXPECT_THAT(Keys("needle"), ElementsAre("title", "body"));
  EXPECT_THAT(Keys("@body:needle=>{$weight:10} | @title:needle"), ElementsAre("body", "title"));
  EXPECT_THAT(Keys("(@body:(needle))=>{$weight:0.01} | @title:needle"), ElementsAre("title", "body"));
  EXPECT_DOUBLE_EQ(Run("needle", {"SCORER", "DOCSCORE", "WITHSCORES"}).documents[0].score, 0.5);
  EXPECT_THAT(Error("needle", {"SCORER", "TFIDF"}), HasSubstr("use BM25STD"));
  EXPECT_EQ(Error("needle", {"SCORER", "BEST"}), "No such scorer BEST");
}

TEST_F(TextSearchTest, OptionalWordsOnlyRaise) {
  CreateArticles();
  EXPECT_THAT(Keys("quick ~sleeps"), ElementsAre("dog", testing::_, testing::_));
  EXPECT_THAT(Keys("~jumps"), ElementsAre("fox", testing::_, testing::_));
}

// Words of a branch that does not match say nothing about a document.
TEST_F(TextSearchTest, OnlyMatchingAlternativesCount) {
  Create({"SCHEMA", "t", "TEXT"});
  Put("one", {"left right"});
  Put("two", {"left apple"});
  const SearchOutcome both = Run("left | (apple pear)");
  ASSERT_EQ(both.documents.size(), 2u);
  EXPECT_DOUBLE_EQ(both.documents[0].score, both.documents[1].score);
}

TEST_F(TextSearchTest, SortsBySortableTextOnly) {
  Create({"SCHEMA", "t", "TEXT", "SORTABLE", "u", "TEXT", "raw", "TEXT", "SORTABLE", "UNF", "NOINDEX"});
  Put("1", {"Banana", "x", "b"});
  Put("2", {"apple", "x", "B"});
  EXPECT_THAT(Keys("x", {"SORTBY", "t"}), ElementsAre("2", "1"));
  EXPECT_THAT(Keys("x", {"SORTBY", "raw"}), ElementsAre("2", "1"));
  EXPECT_THAT(Error("x", {"SORTBY", "u"}), HasSubstr("to be SORTABLE"));
  EXPECT_THAT(Error("@raw:b"), HasSubstr("NOINDEX"));
  EXPECT_THAT(Keys("banana"), ElementsAre("1"));
}

TEST_F(TextSearchTest, RefusesWhatItCannotDo) {
  CreateArticles();
  EXPECT_THAT(Error("%fox%"), HasSubstr("Fuzzy matching (%word%) is not part of this version"));
  EXPECT_THAT(Error("w'f?x'"), HasSubstr("use word*"));
  EXPECT_THAT(Error("@n:fox"), HasSubstr("Expected a TEXT field"));
  EXPECT_THAT(Error("\"open"), HasSubstr("Syntax error at offset 0"));
  EXPECT_THAT(Error("fox HIGHLIGHT"), IsEmpty());
  EXPECT_THAT(Error("fox", {"HIGHLIGHT"}), HasSubstr("not part of this version"));
  std::string many;
  for (int i = 0; i < 1025; ++i) many += "word ";
  EXPECT_EQ(Error(many), "Query has more than 1024 words");
}

TEST_F(TextSearchTest, ReplacedAndRemovedTextIsGone) {
  CreateArticles();
  const size_t before = index_->Stats().terms;
  Put("fox", {"vixen", "", "1"});
  EXPECT_THAT(Keys("jumps"), IsEmpty());
  EXPECT_THAT(Keys("vixen"), ElementsAre("fox"));
  EXPECT_LT(index_->Stats().terms, before);
  for (std::string_view key : {"fox", "dog", "cat"}) EXPECT_TRUE(index_->Remove(key));
  EXPECT_EQ(index_->Stats().terms, 0u);
  EXPECT_EQ(index_->Stats().records, 0u);
  EXPECT_THAT(Keys("vix*"), IsEmpty());
}

// lang is no field of the schema: its value comes behind those.
class LanguageFieldTest : public TextSearchTest {
 protected:
  LanguageFieldTest() { Create({"LANGUAGE_FIELD", "lang", "SCHEMA", "t", "TEXT", "name", "TEXT", "NOSTEM"}); }

  void Put(std::string_view key, std::string_view text, std::optional<std::string_view> language) {
    const std::vector<std::optional<std::string_view>> values = {text, text, language};
    EXPECT_TRUE(index_->Put(key, values).ok());
  }
};

TEST_F(LanguageFieldTest, WordsHaveTheFormsOfTheLanguageOfTheirDocument) {
  Put("en", "walking houses", {});
  Put("de", "die alten Häuser", "GERMAN");
  Put("fr", "continuation des travaux", "french");
  EXPECT_THAT(Keys("@t:walks"), ElementsAre("en"));
  EXPECT_THAT(Keys("@t:häusern", {"LANGUAGE", "german"}), ElementsAre("de"));
  EXPECT_THAT(Keys("@t:häuser"), ElementsAre("de"));  // the word itself, whatever the language of the query
  EXPECT_THAT(Keys("@t:häusern"), IsEmpty());         // no form of it in English
  EXPECT_THAT(Keys("@t:continuer", {"LANGUAGE", "french"}), ElementsAre("fr"));
  EXPECT_THAT(Keys("@name:walks"), IsEmpty());
  EXPECT_THAT(Keys("@name:häuser"), ElementsAre("de"));
}

TEST_F(LanguageFieldTest, AnUnknownLanguageIsThatOfTheIndex) {
  Put("a", "walking", "klingon");
  Put("b", "walking", std::string_view("german\0", 7));
  Put("c", "walking", "");
  EXPECT_THAT(Keys("@t:walks"), UnorderedElementsAre("a", "b", "c"));
}

TEST_F(LanguageFieldTest, PartsOfWordsAndPhrasesAreFoundInEveryLanguage) {
  Put("en", "red houses", {});
  Put("de", "rote Häuser", "german");
  Put("de2", "red houses", "german");
  EXPECT_THAT(Keys("@t:hou*"), UnorderedElementsAre("en", "de2"));
  EXPECT_THAT(Keys("@t:*user"), ElementsAre("de"));
  EXPECT_THAT(Keys("@t:*äuse*"), ElementsAre("de"));
  EXPECT_THAT(Keys("\"red houses\""), UnorderedElementsAre("en", "de2"));
}

TEST_F(LanguageFieldTest, ADocumentMayChangeItsLanguage) {
  Put("a", "Häuser walking", "german");
  EXPECT_THAT(Keys("@t:walks"), IsEmpty());
  Put("a", "Häuser walking", "english");
  EXPECT_THAT(Keys("@t:walks"), ElementsAre("a"));
  EXPECT_THAT(Keys("@t:häusern", {"LANGUAGE", "german"}), IsEmpty());
  EXPECT_TRUE(index_->Remove("a"));
  EXPECT_EQ(index_->Stats().terms, 0u);
  EXPECT_EQ(index_->Stats().records, 0u);
}

}  // namespace
}  // namespace redoubt::search
