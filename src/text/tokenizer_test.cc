#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace redoubt::text {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(TokenizerTest, StemsEnglishWordsToOneForm) {
  EXPECT_EQ(Tokenize("Rejected CONNECTIONS"), Tokenize("rejecting connection"));
  EXPECT_THAT(Tokenize("Rejected connections"), ElementsAre("reject", "connect"));
}

TEST(TokenizerTest, LeavesOutWordsWithoutMeaning) {
  EXPECT_THAT(Tokenize("the memory is on a host"), ElementsAre("memori", "host"));
  EXPECT_THAT(Tokenize("save does not work"), Contains("not"));  // negation has meaning
}

TEST(TokenizerTest, CutsHangulIntoPairs) {
  EXPECT_THAT(Tokenize("복제지연"), ElementsAre("복제", "제지", "지연"));
  EXPECT_THAT(Tokenize("꽉 찼다"), ElementsAre("꽉", "찼다"));
}

TEST(TokenizerTest, FindsTheNounUnderAnyParticle) {
  for (const char* text : {"복제본이", "복제본에서", "복제본으로부터"}) {
    EXPECT_THAT(Tokenize(text), Contains("복제"));
    EXPECT_THAT(Tokenize(text), Contains("제본"));
  }
  EXPECT_THAT(Tokenize("RDB는"), ElementsAre("rdb"));
}

TEST(TokenizerTest, KeepsANameWholeAndInParts) {
  EXPECT_THAT(Tokenize("mem_fragmentation_ratio=2"),
              ElementsAre("mem_fragmentation_ratio", "mem", "fragment", "ratio", "2"));
  EXPECT_THAT(Tokenize("dump.rdb"), ElementsAre("dump.rdb", "dump", "rdb"));
  EXPECT_THAT(Tokenize("It stopped. Then -- nothing"), Not(Contains("stopped.then")));
}

TEST(TokenizerTest, ReadsDecomposedHangulAsSyllables) {
  EXPECT_EQ(Tokenize("\u1106\u1166\u1106\u1169\u1105\u1175"), Tokenize("메모리"));              // no final consonants
  EXPECT_EQ(Tokenize("\u1107\u1169\u11A8\u110C\u1166\u1107\u1169\u11AB"), Tokenize("복제본"));  // with them
}

TEST(TokenizerTest, ReadsFullWidthLettersAsPlainOnes) { EXPECT_EQ(Tokenize("ＯＯＭ"), Tokenize("oom")); }

TEST(TokenizerTest, SurvivesBytesThatAreNoText) {
  EXPECT_THAT(Tokenize(""), IsEmpty());
  EXPECT_THAT(Tokenize("\xFF\xFE\x80"), IsEmpty());
  EXPECT_THAT(Tokenize("oom\xFFkill"), ElementsAre("oom", "kill"));
  EXPECT_THAT(Tokenize("메모\xEB"), ElementsAre("메모"));  // cut inside a syllable
}

TEST(TokenizerTest, BoundsTheLengthOfATerm) {
  for (const std::string& term : Tokenize(std::string(100'000, 'x'))) EXPECT_LE(term.size(), 64u);
}

}  // namespace
}  // namespace redoubt::text
