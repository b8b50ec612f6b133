#include "search/query_parser.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "search/create_parser.h"

namespace redoubt::search {
namespace {

using Kind = FilterNode::Kind;

class QueryParserTest : public testing::Test {
 protected:
  QueryParserTest() {
    std::vector<std::string_view> args = {
        "i",  "SCHEMA", "vec", "VECTOR", "FLAT",    "6",      "TYPE", "FLOAT32", "DIM", "2", "DISTANCE_METRIC",
        "L2", "tag",    "TAG", "num",    "NUMERIC", "hidden", "TAG",  "NOINDEX"};
    definition_ = ParseCreate(args).value();
  }

  Result<Query> Parse(std::string_view text, int dialect = 2) {
    return ParseQuery(text, params_, dialect, definition_);
  }
  std::string Error(std::string_view text, int dialect = 2) { return Parse(text, dialect).status().message(); }

  // (and @tag{red} (not @num[1,2))): a form that shows the structure.
  std::string Shape(const FilterNode& node) {
    std::string children;
    for (const auto& child : node.children) children += " " + Shape(*child);
    switch (node.kind) {
      case Kind::kAll:
        return "*";
      case Kind::kAnd:
        return "(and" + children + ")";
      case Kind::kOr:
        return "(or" + children + ")";
      case Kind::kNot:
        return "(not" + children + ")";
      case Kind::kOptional:
        return "(maybe" + children + ")";
      case Kind::kText: {
        std::string words;
        for (const TextPattern& pattern : node.text->patterns) {
          words += (words.empty() ? "" : " ") + pattern.text;
          words += std::string("=<>~").substr(static_cast<size_t>(pattern.kind), 1) + pattern.stem;
        }
        return "'" + words + "'";
      }
      case Kind::kMissing:
        return "missing";
      case Kind::kKeys:
        return "keys";
      case Kind::kTag: {
        std::string tags;
        for (const TagPattern& tag : node.tags) {
          tags += (tags.empty() ? "" : "|") + tag.text + std::string("=<>~").substr(static_cast<size_t>(tag.kind), 1);
        }
        return "{" + tags + "}";
      }
      case Kind::kNumeric: {
        const NumericRange& range = node.range;
        auto text = [](double x) { return std::to_string(x).substr(0, 4); };
        return (range.low_open ? "(" : "[") + text(range.low) + " " + text(range.high) + (range.high_open ? ")" : "]");
      }
      case Kind::kVectorRange: {
        const VectorRange& range = *node.vector_range;
        return fmt::format("<{:g}{}{}>", range.radius, range.epsilon ? fmt::format("+{:g}", *range.epsilon) : "",
                           range.name ? fmt::format(" {}", *range.name) : "");
      }
    }
    return "?";
  }
  std::string Shape(std::string_view text, int dialect = 2) {
    Result<Query> query = Parse(text, dialect);
    return query.ok() ? Shape(*query->filter) : query.status().message();
  }

  std::string blob_ = std::string("\0\0\x80\x3f\0\0\0\0", 8);  // (1, 0)
  Params params_ = {{"b", blob_}, {"k", "7"}, {"lo", "1.5"}, {"colour", "Dark Red"}, {"short", "abc"}};
  IndexDefinition definition_;
};

TEST_F(QueryParserTest, ReadsLeaves) {
  EXPECT_EQ(Shape("*"), "*");
  EXPECT_EQ(Shape("@tag:{ red | dark blue }"), "{red=|dark blue=}");
  EXPECT_EQ(Shape("@tag:{re*|*ed|*e*|\"a|b\"|a\\|b\\ c}"), "{re<|ed>|e~|a|b=|a|b c=}");
  EXPECT_EQ(Shape("@tag:{$colour}"), "{Dark Red=}");
  EXPECT_EQ(Shape("@num:[1 (2]"), "[1.00 2.00)");
  EXPECT_EQ(Shape("@num:[-inf +inf]"), "[-inf inf]");
  EXPECT_EQ(Shape("@num:[$lo 2]"), "[1.50 2.00]");
  EXPECT_EQ(Shape("@num>=3"), "[3.00 inf]");
  EXPECT_EQ(Shape("@num < 3"), "[-inf 3.00)");
  EXPECT_EQ(Shape("@num!=3"), "(not [3.00 3.00])");
  EXPECT_EQ(Shape("@tag:{한글}"), "{한글=}");
}

TEST_F(QueryParserTest, BindsJuxtapositionTighterThanOrInDialectTwo) {
  EXPECT_EQ(Shape("@tag:{a} @tag:{b} | @tag:{c} @tag:{d}"), "(or (and {a=} {b=}) (and {c=} {d=}))");
  EXPECT_EQ(Shape("@tag:{a} @tag:{b} | @tag:{c} @tag:{d}", 1), "(and {a=} (or {b=} {c=}) {d=})");
}

TEST_F(QueryParserTest, ReadsNegationAndParentheses) {
  EXPECT_EQ(Shape("-@tag:{a} (@num:[1 2] | -(@tag:{b} @tag:{c}))"),
            "(and (not {a=}) (or [1.00 2.00] (not (and {b=} {c=}))))");
  EXPECT_EQ(Shape("(@tag:{a})=>{$weight: 2;} @num:[1 2]"), "(and {a=} [1.00 2.00])");
  EXPECT_EQ(Shape("~@tag:{a}"), "(maybe {a=})");
}

TEST_F(QueryParserTest, ReadsVectorRangesAnywhereInAFilter) {
  EXPECT_EQ(Shape("@vec:[VECTOR_RANGE 2.5 $b]"), "<2.5>");
  EXPECT_EQ(Shape("@vec:[vector_range $k $b]=>{$yield_distance_as: d; $EPSILON:0.5;}"), "<7+0.5 0>");
  EXPECT_EQ(Shape("@tag:{a} -(@vec:[VECTOR_RANGE 1 $b] | @vec:[VECTOR_RANGE 2 $b]=>{$YIELD_DISTANCE_AS: d})"),
            "(and {a=} (not (or <1> <2 0>)))");
  Query query =
      Parse("@vec:[VECTOR_RANGE 2 $b]=>{$YIELD_DISTANCE_AS: far} @num:[1 2]=>[KNN 3 @vec $b AS near]").value();
  EXPECT_EQ(query.range_names, std::vector<std::string>{"far"});
  EXPECT_EQ(query.knn->distance_name, "near");
}

TEST_F(QueryParserTest, NamesWhatIsWrongWithAVectorRange) {
  EXPECT_EQ(Error("@vec:[VECTOR_RANGE -1 $b]"),
            "Error parsing vector similarity query: negative radius (-1) given in a range query");
  EXPECT_EQ(Error("@vec:[VECTOR_RANGE 1 $short]"),
            "Error parsing vector similarity query: query vector blob size (3) does not match index's expected size "
            "(8).");
  EXPECT_EQ(Error("@vec:[VECTOR_RANGE x $b]"), "Syntax error at offset 19 near x");
  EXPECT_EQ(Error("@num:[VECTOR_RANGE 1 $b]"), "Expected a VECTOR field at offset 0 near num");
  EXPECT_NE(Error("@vec:[VECTOR_RANGE 1 $b]", 1).find("DIALECT 2"), std::string::npos);
  const std::string range = "@vec:[VECTOR_RANGE 1 $b]=>";
  EXPECT_EQ(Error(range + "{$EPSILON: 0}"), "Error parsing vector similarity parameters: Invalid value was given");
  EXPECT_EQ(Error(range + "{$EF_RUNTIME: 10}"), "Error parsing vector similarity parameters: Invalid option");
  EXPECT_EQ(Error(range + "{$YIELD_DISTANCE_AS: tag}"), "Property `tag` already exists in schema");
  EXPECT_NE(Error(range + "{$YIELD_DISTANCE_AS: d} " + range + "{$YIELD_DISTANCE_AS: d}").find("`d`"),
            std::string::npos);
  EXPECT_NE(Error(range + "{$YIELD_DISTANCE_AS: d}=>[KNN 1 @vec $b AS d]").find("`d`"), std::string::npos);
}

TEST_F(QueryParserTest, ReadsKnnInAllItsForms) {
  Query query = Parse("(@tag:{a} @num:[1 2])=>[KNN $k @vec $b AS dist]").value();
  EXPECT_EQ(query.knn->k, 7u);
  EXPECT_EQ(query.knn->distance_name, "dist");
  EXPECT_EQ(query.knn->blob, std::string("\0\0\x80\x3f\0\0\0\0", 8));
  EXPECT_EQ(Parse("*=>[knn 3 @vec $b]").value().knn->distance_name, "__vec_score");
  EXPECT_EQ(Parse("*=>[KNN 3 @vec $b]=>{$yield_distance_as: d;}").value().knn->distance_name, "d");
  EXPECT_TRUE(Parse("@tag:{a}=>[KNN 3 @vec $b HYBRID_POLICY BATCHES BATCH_SIZE 10]").ok());
}

TEST_F(QueryParserTest, ReadsKnnAttributesInBothPlacesAndFromParams) {
  for (const char* text : {"*=>[KNN 3 @vec $b EF_RUNTIME $k EPSILON $lo SHARD_K_RATIO 0.5]",
                           "*=>[KNN 3 @vec $b]=>{$EF_RUNTIME: 7; $EPSILON: 1.5; $SHARD_K_RATIO: 0.5}",
                           "@tag:{a}=>[KNN 3 @vec $b ef_runtime 7 AS d]=>{$SHARD_K_RATIO: 0.5; $HYBRID_POLICY: "
                           "batches; $BATCH_SIZE: $k;}"}) {
    Result<Query> query = Parse(text);
    ASSERT_TRUE(query.ok()) << text << ": " << query.status().message();
    EXPECT_EQ(query->knn->ef_runtime, 7u) << text;
    EXPECT_EQ(query->knn->shard_k_ratio, 0.5) << text;
  }
}

TEST_F(QueryParserTest, RefusesKnnAttributesThatMeanNothing) {
  const std::string bad = "Error parsing vector similarity parameters: ";
  for (const char* value : {"EF_RUNTIME 0", "EF_RUNTIME x", "EF_RUNTIME -1", "BATCH_SIZE 0", "EPSILON 0", "EPSILON x",
                            "SHARD_K_RATIO 0", "SHARD_K_RATIO 1.5", "SHARD_K_RATIO nan"}) {
    EXPECT_EQ(Error(fmt::format("@tag:{{a}}=>[KNN 3 @vec $b {}]", value)), bad + "Invalid value was given") << value;
  }
  EXPECT_EQ(Error("*=>[KNN 3 @vec $b SIZE 10]"), bad + "Invalid option");
  EXPECT_EQ(Error("*=>[KNN 3 @vec $b]=>{$SIZE: 10}"), bad + "Invalid option");
  EXPECT_EQ(Error("@tag:{a}=>[KNN 3 @vec $b HYBRID_POLICY FAST]"), bad + "invalid hybrid policy was given");
  EXPECT_EQ(Error("*=>[KNN 3 @vec $b BATCH_SIZE 5]"), bad + "hybrid query attributes were sent for a non-hybrid query");
  EXPECT_EQ(Error("@tag:{a}=>[KNN 3 @vec $b HYBRID_POLICY ADHOC_BF EF_RUNTIME 5]"),
            bad + "'EF_RUNTIME' is irrelevant for 'ADHOC_BF' policy");
  EXPECT_EQ(Error("*=>[KNN 3 @vec $b EF_RUNTIME 5]=>{$EF_RUNTIME: 6}"), bad + "EF_RUNTIME was given twice");
  const std::string large =
      "Error parsing vector similarity query: query KNN K parameter is too large, must not exceed 288230376151711744";
  EXPECT_TRUE(Parse("*=>[KNN 288230376151711744 @vec $b]").ok());
  EXPECT_EQ(Error("*=>[KNN 288230376151711745 @vec $b]"), large);
  EXPECT_EQ(Error("*=>[KNN 99999999999999999999999 @vec $b]"), large);
  EXPECT_EQ(Error("*=>[KNN -3 @vec $b]"), "Syntax error at offset 8 near -");
}

TEST_F(QueryParserTest, AnswersWithTheErrorsThatClientsKnow) {
  EXPECT_EQ(Error("*=>[KNN 3 @vec $short]"),
            "Error parsing vector similarity query: query vector blob size (3) does not match index's expected size "
            "(8).");
  EXPECT_EQ(Error("@num:[$none 3]"), "No such parameter `none`");
  EXPECT_EQ(Error("*=>[KNN 3 @tag $b]"), "Expected a VECTOR field at offset 10 near tag");
  EXPECT_EQ(Error("@bad:{a}"), "Unknown field at offset 0 near bad");
  EXPECT_EQ(Error("*=>[KNN 3 @vec $b HYBRID_POLICY BATCHES]"),
            "Error parsing vector similarity parameters: hybrid query attributes were sent for a non-hybrid query");
  EXPECT_EQ(Error("@tag:{a}=>[KNN 3 @vec $b HYBRID_POLICY ADHOC_BF BATCH_SIZE 5]"),
            "Error parsing vector similarity parameters: 'batch size' is irrelevant for 'ADHOC_BF' policy");
  EXPECT_EQ(Error("*=>[KNN 3 @vec $b AS num]"), "Property `num` already exists in schema");
  EXPECT_EQ(Error("*=>[KNN 3 @vec $b AS a]=>{$YIELD_DISTANCE_AS: b}"),
            "Distance field was specified twice for vector query: a and b");
}

TEST_F(QueryParserTest, SaysWhatToAddWhenDialectOrParamsAreMissing) {
  EXPECT_EQ(Error("*=>[KNN 10 @vec $b]", 1),
            "Syntax error at offset 1 near >[: vector queries need `PARAMS 2 <name> <blob> DIALECT 2` after the query");
  EXPECT_EQ(Error("*=>[KNN 10 @vec $query]"),
            "No such parameter `query`: add PARAMS 2 query <8 bytes of little-endian FLOAT32>");
}

TEST_F(QueryParserTest, NamesTheOffsetOfWhatItCannotRead) {
  for (const char* bad : {"",
                          "(",
                          ")",
                          "@",
                          "@tag",
                          "@tag:",
                          "@tag:{",
                          "@tag:{}",
                          "@tag:{a",
                          "@tag:{a|}",
                          "@num:[",
                          "@num:[1",
                          "@num:[1 2",
                          "@num:[a b]",
                          "@num:[nan 2]",
                          "* |",
                          "-",
                          "@tag:{\"a}",
                          "@tag:{a\\",
                          "*=>",
                          "*=>[",
                          "*=>[KNN",
                          "*=>[KNN 3",
                          "*=>[KNN x @vec $b]",
                          "*=>[KNN 3 @vec $b",
                          "*=>[KNN 3 @vec $b] @tag:{a}",
                          "@num>",
                          "@num:[1 2]]",
                          "*=>[KNN -1 @vec $b]"}) {
    Result<Query> query = Parse(bad);
    ASSERT_FALSE(query.ok()) << bad;
    EXPECT_NE(query.status().message().find("at offset"), std::string::npos) << bad << ": " << query.status().message();
  }
  EXPECT_EQ(Error("@tag:{a} ]"), "Syntax error at offset 9 near ]");
}

TEST_F(QueryParserTest, RefusesWhatIsNestedTooDeep) {
  EXPECT_EQ(Error(std::string(100'000, '(')), "Query is nested too deep: at most 100 levels");
  EXPECT_EQ(Error(std::string(100'000, '-') + "*"), "Query is nested too deep: at most 100 levels");
}

TEST_F(QueryParserTest, RefusesFieldsOfTheWrongType) {
  EXPECT_EQ(Error("@num:{a}"), "Expected a TAG field at offset 1 near num");
  EXPECT_EQ(Error("@tag:[1 2]"), "Expected a NUMERIC field at offset 1 near tag");
  EXPECT_EQ(Error("@hidden:{a}"), "Field is NOINDEX and cannot be searched at offset 0 near hidden");
  EXPECT_NE(Error("hello").find("The index has no TEXT field: `hello`"), std::string::npos);
}

}  // namespace
}  // namespace redoubt::search
