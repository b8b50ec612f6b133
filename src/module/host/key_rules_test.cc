#include "module/host/key_rules.h"

#include <gtest/gtest.h>

namespace redoubt::host {
namespace {

TEST(KeyRulesTest, APatternCoversWhatBeginsAsItDoes) {
  EXPECT_TRUE(RulesCoverPrefix("~*", ""));
  EXPECT_TRUE(RulesCoverPrefix("~*", "app:"));
  EXPECT_TRUE(RulesCoverPrefix("~app:*", "app:"));
  EXPECT_TRUE(RulesCoverPrefix("~app:*", "app:items:"));
  EXPECT_TRUE(RulesCoverPrefix("~other ~app:* ~more:*", "app:"));
  EXPECT_FALSE(RulesCoverPrefix("~app:*", ""));
  EXPECT_FALSE(RulesCoverPrefix("~app:*", "ap"));
  EXPECT_FALSE(RulesCoverPrefix("~app:*", "other:"));
  EXPECT_FALSE(RulesCoverPrefix("", ""));
}

TEST(KeyRulesTest, ARuleForWritingOnlyCoversNothing) {
  EXPECT_TRUE(RulesCoverPrefix("%R~app:*", "app:"));
  EXPECT_TRUE(RulesCoverPrefix("%RW~app:*", "app:"));
  EXPECT_FALSE(RulesCoverPrefix("%W~app:*", "app:"));
  EXPECT_FALSE(RulesCoverPrefix("%W~R*", ""));
}

TEST(KeyRulesTest, APatternThatMayLeaveKeysOutCoversNothing) {
  for (const char* rules :
       {"~app:", "~app:?*", "~app:[a-z]*", "~app:*x", "~app:**x", "~app\\*", "~*x", "~?*", "app:*"}) {
    EXPECT_FALSE(RulesCoverPrefix(rules, "app:")) << rules;
    EXPECT_FALSE(RulesCoverPrefix(rules, "app:[a-z]")) << rules;
  }
}

}  // namespace
}  // namespace redoubt::host
