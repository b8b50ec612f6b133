#include "search/create_parser.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <sstream>

#include "search/json_path.h"

namespace redoubt::search {
namespace {

std::vector<std::string> Words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

Result<IndexDefinition> Parse(const std::string& text) {
  std::vector<std::string> words = Words(text);
  std::vector<std::string_view> args(words.begin(), words.end());
  return ParseCreate(args);
}

std::string Error(const std::string& text) { return Parse(text).status().message(); }

TEST(CreateParserTest, ReadsEveryPartOfADefinition) {
  IndexDefinition definition =
      Parse(
          "idx ON hash PREFIX 2 a: b: SCORE 0.5 NOHL LANGUAGE english SCHEMA v AS vec VECTOR flat 8 TYPE float32 DIM 4 "
          "DISTANCE_METRIC cosine BLOCK_SIZE 100 t TAG SEPARATOR ; CASESENSITIVE SORTABLE n NUMERIC SORTABLE UNF "
          "NOINDEX")
          .value();
  EXPECT_EQ(definition.name, "idx");
  EXPECT_EQ(definition.prefixes, (std::vector<std::string>{"a:", "b:"}));
  ASSERT_EQ(definition.fields.size(), 3u);
  EXPECT_EQ(definition.fields[0].path, "v");
  EXPECT_EQ(definition.fields[0].name, "vec");
  EXPECT_EQ(definition.fields[0].vector.dim, 4u);
  EXPECT_EQ(definition.fields[0].vector.metric, vector::Metric::kCosine);
  EXPECT_EQ(definition.fields[1].tag.separator, ';');
  EXPECT_TRUE(definition.fields[1].tag.case_sensitive);
  EXPECT_TRUE(definition.fields[2].no_index);
  EXPECT_TRUE(definition.Covers("b:1"));
  EXPECT_FALSE(definition.Covers("c:1"));
}

TEST(CreateParserTest, WritesArgumentsThatMakeTheSameDefinition) {
  for (const char* text :
       {"i SCHEMA t TAG", "i PREFIX 2 a b SKIPINITIALSCAN NOFREQS SCHEMA x AS y NUMERIC SORTABLE UNF",
        "i SCORE 0.25 SCHEMA v VECTOR FLAT 10 TYPE FLOAT32 DIM 3 DISTANCE_METRIC IP INITIAL_CAP 5 BLOCK_SIZE 6",
        "i SCHEMA v VECTOR hnsw 18 TYPE FLOAT32 DIM 3 DISTANCE_METRIC IP M 7 EF_CONSTRUCTION 70 EF_RUNTIME 17 "
        "EPSILON 0.5 COMPRESSION none INITIAL_CAP 5"}) {
    std::vector<std::string> args = CreateArgs(Parse(text).value());
    std::vector<std::string_view> views(args.begin(), args.end());
    EXPECT_EQ(CreateArgs(ParseCreate(views).value()), args) << text;
  }
}

TEST(CreateParserTest, TakesEveryElementType) {
  for (vector::ElementType type : vector::kElementTypes) {
    IndexDefinition definition =
        Parse(fmt::format("i SCHEMA v VECTOR FLAT 6 TYPE {} DIM 3 DISTANCE_METRIC L2", vector::ElementName(type)))
            .value();
    EXPECT_EQ(definition.fields[0].vector.type, type);
    EXPECT_EQ(definition.fields[0].vector.blob_bytes(), 3 * vector::ElementBytes(type));
    std::vector<std::string> args = CreateArgs(definition);
    std::vector<std::string_view> views(args.begin(), args.end());
    EXPECT_EQ(ParseCreate(views).value().fields[0].vector.type, type);
  }
  EXPECT_EQ(Error("i SCHEMA v VECTOR FLAT 6 TYPE FLOAT8 DIM 4 DISTANCE_METRIC L2"),
            "Bad arguments for vector similarity FLAT index type: Unknown argument");
}

TEST(CreateParserTest, ReadsTheAttributesOfAGraph) {
  const std::string graph = "i SCHEMA v VECTOR HNSW ";
  const std::string needed = " TYPE FLOAT32 DIM 4 DISTANCE_METRIC L2";
  const VectorOptions plain = Parse(graph + "6" + needed).value().fields[0].vector;
  EXPECT_EQ(plain.algorithm, VectorAlgorithm::kHnsw);
  EXPECT_EQ(plain.graph.m, 16u);
  EXPECT_EQ(plain.graph.ef_construction, 200u);
  EXPECT_EQ(plain.graph.ef_runtime, 10u);
  EXPECT_EQ(plain.graph.epsilon, 0.01);
  EXPECT_EQ(plain.graph.storage, vector::Storage::kInt8);
  const VectorOptions set =
      Parse(graph + "14" + needed + " M 40 EF_RUNTIME 99 EPSILON 2 COMPRESSION NONE").value().fields[0].vector;
  EXPECT_EQ(set.graph.m, 40u);
  EXPECT_EQ(set.graph.ef_runtime, 99u);
  EXPECT_EQ(set.graph.epsilon, 2);
  EXPECT_EQ(set.graph.storage, vector::Storage::kFloat32);
  auto refusal = [&](const std::string& more) { return Error(graph + "8" + needed + " " + more); };
  const std::string bad = "Bad arguments for vector similarity HNSW index ";
  EXPECT_EQ(refusal("M 1"), bad + "m: Value is outside acceptable bounds");
  EXPECT_EQ(refusal("M 513"), bad + "m: Value is outside acceptable bounds");
  EXPECT_EQ(refusal("EF_CONSTRUCTION 0"), bad + "efc: Value is outside acceptable bounds");
  EXPECT_EQ(refusal("EF_RUNTIME x"), bad + "efr: Could not convert argument to expected type");
  EXPECT_EQ(refusal("EPSILON -1"), bad + "epsilon: Value is outside acceptable bounds");
  EXPECT_EQ(refusal("DIM 0"), bad + "dim: Value is outside acceptable bounds");
  EXPECT_EQ(refusal("BLOCK_SIZE 10"), "Bad arguments for algorithm HNSW: BLOCK_SIZE");
  EXPECT_EQ(Error(graph + "2 TYPE FLOAT32"),
            "Missing mandatory parameter: cannot create HNSW index without specifying DIM argument");
}

TEST(CreateParserTest, AnswersWithTheErrorsThatClientsKnow) {
  EXPECT_EQ(Error("i ON HASH"), "No schema found");
  EXPECT_EQ(Error("i SCHEMA"), "Fields arguments are missing");
  EXPECT_EQ(Error("i SCHEMA t TAG t NUMERIC"), "Duplicate field in schema - t");
  EXPECT_EQ(Error("i SCHEMA v VECTOR TREE 2 TYPE FLOAT32"),
            "Bad arguments for vector similarity algorithm: Unknown argument");
  EXPECT_EQ(Error("i SCHEMA v VECTOR FLAT 4 TYPE FLOAT32 DISTANCE_METRIC L2"),
            "Missing mandatory parameter: cannot create FLAT index without specifying DIM argument");
  EXPECT_EQ(Error("i SCHEMA v VECTOR FLAT 6 TYPE FLOAT32 DIM 0 DISTANCE_METRIC L2"),
            "Bad arguments for vector similarity FLAT index dim: Value is outside acceptable bounds");
  EXPECT_EQ(Error("i SCHEMA v VECTOR FLAT 1 TYPE"),
            "Bad number of arguments for vector similarity index: got 1 but expected even number as algorithm "
            "parameters (should be submitted as named arguments)");
  EXPECT_EQ(Error("i SCHEMA v VECTOR FLAT 2 SIZE 5"), "Bad arguments for algorithm FLAT: SIZE");
  EXPECT_EQ(Error("i FOO SCHEMA t TAG"), "Unknown argument `FOO` at position 1 for <main>");
}

TEST(CreateParserTest, NamesWhatThisVersionDoesNotHave) {
  EXPECT_NE(Error("i SCHEMA v VECTOR SVS-VAMANA 6 TYPE FLOAT32 DIM 4 DISTANCE_METRIC L2").find("use HNSW"),
            std::string::npos);
  EXPECT_NE(Error("i SCHEMA body TEXT PHONETIC dm:en").find("`body`"), std::string::npos);
}

TEST(CreateParserTest, RefusesCountsBeyondTheArguments) {
  EXPECT_FALSE(Parse("i PREFIX 18446744073709551615 a SCHEMA t TAG").ok());
  EXPECT_FALSE(Parse("i SCHEMA v VECTOR FLAT 18446744073709551614 TYPE FLOAT32").ok());
  EXPECT_FALSE(Parse("i SCHEMA v VECTOR FLAT 6 TYPE FLOAT32 DIM 99999999999999999999 DISTANCE_METRIC L2").ok());
}

TEST(JsonPathTest, KnowsWhichPathsMayFindSeveralValues) {
  for (const char* path : {"$.a[*]", "$..a", "$.*", "$.a[0,1]", "$.a[1:]", "$.a[?(@.b>1)]", "$.a[*].v", "$['a','b']"}) {
    EXPECT_TRUE(MayFindSeveral(path)) << path;
  }
  for (const char* path : {"$.a", "a", ".a.b", "$.a[0]", "$['a*b']", "$[\"a:b,c?\"]", "$['a\\'*']", "$.a:b", "$", ""}) {
    EXPECT_FALSE(MayFindSeveral(path)) << path;
  }
}

}  // namespace
}  // namespace redoubt::search
