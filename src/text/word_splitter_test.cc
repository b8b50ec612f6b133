#include "text/word_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "text/stemmer.h"

namespace redoubt::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  WordSplitter splitter(text);
  for (std::string word; splitter.Next(word);) words.push_back(word);
  return words;
}

TEST(WordSplitterTest, SplitsAtPunctuationAndSpaces) {
  EXPECT_THAT(Words("foo-bar.baz...bag"), ElementsAre("foo", "bar", "baz", "bag"));
  EXPECT_THAT(Words("  Hello,\tWORLD!\n"), ElementsAre("hello", "world"));
  EXPECT_THAT(Words(",.<>{}[]\"':;!@#$%^&*()-+=~/|?`"), IsEmpty());
  EXPECT_THAT(Words(""), IsEmpty());
}

TEST(WordSplitterTest, KeepsUnderscoresDigitsAndWhatABackslashPrecedes) {
  EXPECT_THAT(Words("hello_world 3.14"), ElementsAre("hello_world", "3", "14"));
  EXPECT_THAT(Words("hello\\-world hello-world"), ElementsAre("hello-world", "hello", "world"));
  EXPECT_THAT(Words("end\\"), ElementsAre("end"));
  EXPECT_THAT(Words("\\ x"), ElementsAre(" x"));
}

TEST(WordSplitterTest, CutsHangulIntoPairs) {
  EXPECT_THAT(Words("복제지연"), ElementsAre("복제", "제지", "지연"));
  EXPECT_THAT(Words("물 데이터"), ElementsAre("물", "데이", "이터"));
  EXPECT_THAT(Words("RDB는 저장"), ElementsAre("rdb", "는", "저장"));
  EXPECT_THAT(Words("한a국어b"), ElementsAre("한", "a", "국어", "b"));
  EXPECT_THAT(Words("한\\국어"), ElementsAre("한", "국", "어"));
}

TEST(WordSplitterTest, FoldsCaseOutsideAscii) {
  EXPECT_THAT(Words("ÉTÉ Привет Ａｂ"), ElementsAre("été", "привет", "ab"));
}

TEST(WordSplitterTest, SaysWhichWordsArePairs) {
  WordSplitter splitter("a 한국");
  std::string word;
  ASSERT_TRUE(splitter.Next(word));
  EXPECT_FALSE(splitter.dense());
  ASSERT_TRUE(splitter.Next(word));
  EXPECT_TRUE(splitter.dense());
}

TEST(WordSplitterTest, SaysWhichWordsAreJoined) {
  WordSplitter splitter("a 한국어b, 물");
  std::string joined;
  for (std::string word; splitter.Next(word);) joined += splitter.joined() ? "+" + word : " " + word;
  EXPECT_EQ(joined, " a 한국+국어+b 물");
}

TEST(WordSplitterTest, CutsLongWordsBetweenCharacters) {
  EXPECT_THAT(Words(std::string(1000, 'a')), ElementsAre(std::string(kMaxWordBytes, 'a')));
  std::string accents = "a";
  for (int i = 0; i < 200; ++i) accents += "é";
  const std::vector<std::string> words = Words(accents);
  ASSERT_EQ(words.size(), 1u);
  EXPECT_EQ(words[0].size(), kMaxWordBytes - 1);
}

TEST(WordSplitterTest, TakesAnyBytes) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_FALSE(Words(bytes).empty());
  EXPECT_THAT(Words("\xff\xfe"
                    "a\xed"),
              ElementsAre("a"));
}

TEST(StemmerTest, StemsByLanguage) {
  EXPECT_EQ(Stemmer::Create("english")->Stem("connections"), "connect");
  EXPECT_EQ(Stemmer::Create("german")->Stem("häuser"), "haus");
  EXPECT_EQ(Stemmer::Create("korean")->Stem("connections"), "connections");
  EXPECT_FALSE(Stemmer::Create("klingon"));
}

}  // namespace
}  // namespace redoubt::text
