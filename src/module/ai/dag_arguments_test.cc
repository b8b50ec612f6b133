#include "module/ai/dag_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <sstream>
#include <string>

namespace redoubt::ai {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;
using ::testing::IsEmpty;

// Without a server a RedisModuleString is a std::string in disguise.
const std::string& Text(const RedisModuleString* word) { return *reinterpret_cast<const std::string*>(word); }

const char* PtrLen(const RedisModuleString* word, size_t* length) {
  *length = Text(word).size();
  return Text(word).data();
}

int ToLongLong(const RedisModuleString* word, long long* value) {
  const std::string& text = Text(word);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() ? REDISMODULE_OK : REDISMODULE_ERR;
}

constexpr DagForm kExecute = {"AI.DAGEXECUTE", false, false};
constexpr DagForm kReadOnly = {"AI.DAGEXECUTE_RO", true, false};
constexpr DagForm kRun = {"AI.DAGRUN", false, true};

class DagArgumentsTest : public ::testing::Test {
 protected:
  DagArgumentsTest() {
    RedisModule_StringPtrLen = &PtrLen;
    RedisModule_StringToLongLong = &ToLongLong;
  }
  ~DagArgumentsTest() override {
    RedisModule_StringPtrLen = nullptr;
    RedisModule_StringToLongLong = nullptr;
  }

  host::Args Words(const std::string& text) {
    words_.clear();
    pointers_.clear();
    std::istringstream in(text);
    for (std::string word; in >> word;) words_.push_back(word);
    for (std::string& word : words_) pointers_.push_back(reinterpret_cast<RedisModuleString*>(&word));
    return host::Args(pointers_.data(), static_cast<int>(pointers_.size()));
  }
  base::Status Parse(const std::string& text, const DagForm& form = kExecute) {
    parsed_ = {};
    return ParseDag(Words(text), form, &parsed_);
  }
  std::vector<std::string> Keys(const std::string& text, const DagForm& form = kExecute) {
    std::vector<std::string> keys;
    for (const host::KeyPosition& key : DagKeys(Words(text), form))
      keys.push_back(words_[static_cast<size_t>(key.index)]);
    return keys;
  }

  std::vector<std::string> words_;
  std::vector<RedisModuleString*> pointers_;
  DagArguments parsed_;
};

TEST_F(DagArgumentsTest, ClausesStandInAnyOrder) {
  for (const char* text : {"D LOAD 2 a b PERSIST 1 c ROUTING r TIMEOUT 7 |> AI.TENSORGET a",
                           "D timeout 7 routing r persist 1 c load 2 a b |> AI.TENSORGET a"}) {
    ASSERT_TRUE(Parse(text).ok()) << text;
    EXPECT_EQ(parsed_.timeout_ms, 7);
    ASSERT_EQ(parsed_.load.size(), 2U);
    EXPECT_EQ(words_[parsed_.load[1]], "b");
    ASSERT_EQ(parsed_.persist.size(), 1U);
    EXPECT_EQ(words_[parsed_.persist[0]], "c");
    EXPECT_EQ(words_[parsed_.routing.value()], "r");
    EXPECT_THAT(parsed_.ops, ElementsAre(FieldsAre(13, 2)));
  }
}

TEST_F(DagArgumentsTest, OpsAreSplitAtSeparatorsButNotAtBlobs) {
  ASSERT_TRUE(Parse("D ROUTING r |> AI.TENSORSET a INT8 2 BLOB |> |> AI.TENSORGET a |> ai.tensorget a blob |>").ok());
  EXPECT_THAT(parsed_.ops, ElementsAre(FieldsAre(4, 6), FieldsAre(11, 2), FieldsAre(14, 3)));
  // BLOB is a value here, and the separator ends the op.
  ASSERT_TRUE(Parse("D ROUTING r |> AI.TENSORSET a STRING 1 VALUES BLOB |> AI.TENSORGET a").ok());
  EXPECT_THAT(parsed_.ops, ElementsAre(FieldsAre(4, 6), FieldsAre(11, 2)));
  // A tensor named BLOB.
  ASSERT_TRUE(Parse("D ROUTING r |> AI.TENSORSET BLOB FLOAT |> AI.TENSORGET BLOB |> AI.TENSORGET BLOB").ok());
  EXPECT_THAT(parsed_.ops, ElementsAre(FieldsAre(4, 3), FieldsAre(8, 2), FieldsAre(11, 2)));
  // An op without words stays, for its error.
  ASSERT_TRUE(Parse("D ROUTING r |> |> AI.TENSORGET a").ok());
  EXPECT_THAT(parsed_.ops, ElementsAre(FieldsAre(4, 0), FieldsAre(5, 2)));
}

TEST_F(DagArgumentsTest, WhatStandsBeforeAnErrorIsKept) {
  EXPECT_EQ(Parse("D LOAD 1 a ROUTING r LOAD 1 b |> x").message(),
            "ERR Invalid DAG command. Unexpected argument:  LOAD");
  EXPECT_EQ(parsed_.load.size(), 1U);
  EXPECT_TRUE(parsed_.routing);
  EXPECT_THAT(parsed_.ops, IsEmpty());
  EXPECT_EQ(Parse("D ROUTING r LOAD 2 a").message(),
            "ERR number of keys to LOAD into DAG does not match the number of given arguments");
  EXPECT_THAT(parsed_.load, IsEmpty());
}

TEST_F(DagArgumentsTest, EachFormHasItsRules) {
  EXPECT_EQ(Parse("D LOAD 1 a |>").message(), "ERR missing arguments for 'AI.DAGEXECUTE' command");
  EXPECT_EQ(Parse("D a b", kRun).message(), "ERR wrong number of arguments for 'AI.DAGRUN' command");
  EXPECT_TRUE(Parse("D |> AI.TENSORGET a", kRun).ok());
  EXPECT_FALSE(Parse("D TIMEOUT 5 |> AI.TENSORGET a").ok());
  EXPECT_EQ(Parse("D PERSIST 1 a |> AI.TENSORGET a", kReadOnly).message(),
            "ERR PERSIST cannot be specified in a read-only DAG");
  for (const char* ms : {"0", "-5", "x", "1099511627777"}) {
    EXPECT_EQ(Parse(std::string("D ROUTING r TIMEOUT ") + ms + " |> AI.TENSORGET a").message(),
              "ERR Invalid value for TIMEOUT");
  }
}

// Nothing may be read behind the last word, wherever the command is cut off.
TEST_F(DagArgumentsTest, EveryCutOfACommandIsReadSafely) {
  const std::string text =
      "D LOAD 2 a b PERSIST 1 c ROUTING r TIMEOUT 7 |> AI.TENSORSET a INT8 2 BLOB xx |> AI.MODELEXECUTE m INPUTS 1 a "
      "OUTPUTS 1 b |> AI.SCRIPTEXECUTE s f KEYS 1 k INPUTS 1 a |>";
  for (size_t cut = 1; cut <= text.size(); ++cut) {
    (void)Parse(text.substr(0, cut));
    (void)Parse(text.substr(0, cut), kRun);
    EXPECT_LE(Keys(text.substr(0, cut)).size(), 7U);
  }
}

TEST_F(DagArgumentsTest, KeysAreThoseOfTheClausesAndOfTheOps) {
  const std::string ops =
      " |> AI.MODELEXECUTE m INPUTS 1 a OUTPUTS 1 b |> AI.TENSORGET b |> AI.SCRIPTEXECUTE s f INPUTS 1 b OUTPUTS 1 c";
  EXPECT_THAT(Keys("D LOAD 2 a b PERSIST 1 c ROUTING r" + ops), ElementsAre("a", "b", "c", "r", "m", "s"));
  EXPECT_THAT(Keys("D |> AI.MODELRUN m INPUTS a OUTPUTS b", kRun), ElementsAre("m"));
  EXPECT_THAT(Keys("D LOAD 1 a BAD PERSIST 1 c" + ops), ElementsAre("a"));
  EXPECT_THAT(Keys("D LOAD 1 a |> AI.SCRIPTEXECUTE s f KEYS 2 k l INPUTS 1 a"), ElementsAre("a", "s", "k", "l"));
}

}  // namespace
}  // namespace redoubt::ai
