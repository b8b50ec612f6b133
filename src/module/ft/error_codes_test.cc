#include "module/ft/error_codes.h"

#include <gtest/gtest.h>

namespace redoubt::ft {
namespace {

TEST(ErrorCodesTest, PutsACodeWordInFront) {
  EXPECT_EQ(WithErrorCode("Index already exists"), "SEARCH_INDEX_EXISTS Index already exists");
  EXPECT_EQ(WithErrorCode("nope: no such index"), "SEARCH_INDEX_NOT_FOUND nope: no such index");
  EXPECT_EQ(WithErrorCode("Unknown Index name"), "SEARCH_INDEX_NOT_FOUND Unknown Index name");
  EXPECT_EQ(WithErrorCode("No such parameter `b`"), "SEARCH_PARAM_NOT_FOUND No such parameter `b`");
  EXPECT_EQ(WithErrorCode("Syntax error at offset 1 near >["), "SEARCH_SYNTAX Syntax error at offset 1 near >[");
  EXPECT_EQ(WithErrorCode("Property `zz` not loaded nor in schema"),
            "SEARCH_PROP_NOT_FOUND Property `zz` not loaded nor in schema");
  EXPECT_EQ(WithErrorCode("Timeout limit was reached"), "SEARCH_TIMEOUT Timeout limit was reached");
}

TEST(ErrorCodesTest, SaysVectorParametersInTheNewerWords) {
  EXPECT_EQ(WithErrorCode("Error parsing vector similarity parameters: Invalid option"),
            "SEARCH_OPTION_INVALID Invalid option (Error parsing vector similarity parameters)");
  EXPECT_EQ(
      WithErrorCode("Error parsing vector similarity parameters: 'batch size' is irrelevant for 'ADHOC_BF' policy"),
      "SEARCH_ADHOC_BATCH_SIZE_IRRELEVANT 'batch size' is irrelevant for the selected policy (Error parsing vector "
      "similarity parameters)");
  EXPECT_EQ(
      WithErrorCode("Bad arguments for vector similarity FLAT index initial cap: Value is outside acceptable bounds"),
      "SEARCH_PARSE_ARGS Bad arguments for vector similarity FLAT index `INITIAL_CAP`: Value is outside acceptable "
      "bounds");
  EXPECT_EQ(WithErrorCode("Bad arguments for vector similarity algorithm: Unknown argument"),
            "SEARCH_PARSE_ARGS Bad arguments for vector similarity algorithm: Unknown argument");
}

TEST(ErrorCodesTest, LeavesOtherTextsAsTheyAre) {
  for (const char* text : {"Property `n` already exists in schema", "OOM command not allowed",
                           "Unknown field at offset 0 near bad", "Error parsing vector similarity parameters", "",
                           "Error parsing vector similarity parameters: EF_RUNTIME was given twice"}) {
    EXPECT_EQ(WithErrorCode(text), text);
  }
}

}  // namespace
}  // namespace redoubt::ft
