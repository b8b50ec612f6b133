#include "text/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace redoubt::text {
namespace {

std::vector<char32_t> DecodeAll(std::string_view utf8) {
  std::vector<char32_t> out;
  for (size_t pos = 0; pos < utf8.size();) out.push_back(DecodeUtf8(utf8, pos));
  return out;
}

TEST(Utf8Test, DecodesEveryLength) { EXPECT_EQ(DecodeAll("aé가😀"), (std::vector<char32_t>{U'a', U'é', U'가', U'😀'})); }

TEST(Utf8Test, AppendIsTheInverseOfDecode) {
  for (char32_t c : {0x01u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    std::string utf8;
    AppendUtf8(c, utf8);
    EXPECT_EQ(DecodeAll(utf8), std::vector<char32_t>{c});
  }
}

TEST(Utf8Test, RefusesOverlongSurrogateAndCutForms) {
  EXPECT_EQ(DecodeAll("\xC0\x80").front(), kReplacement);          // overlong NUL
  EXPECT_EQ(DecodeAll("\xED\xA0\x80").front(), kReplacement);      // surrogate
  EXPECT_EQ(DecodeAll("\xF4\x90\x80\x80").front(), kReplacement);  // above U+10FFFF
  EXPECT_EQ(DecodeAll("\xEA\xB0"), (std::vector<char32_t>{kReplacement, kReplacement}));
  EXPECT_EQ(DecodeAll("\xFFz"), (std::vector<char32_t>{kReplacement, U'z'}));
}

TEST(Utf8Test, TruncatesBetweenCodePoints) {
  EXPECT_EQ(TruncateUtf8("가나", 6), "가나");
  EXPECT_EQ(TruncateUtf8("가나", 5), "가");
  EXPECT_EQ(TruncateUtf8("가나", 3), "가");
  EXPECT_EQ(TruncateUtf8("가나", 2), "");
  EXPECT_EQ(TruncateUtf8("abc", 2), "ab");
}

}  // namespace
}  // namespace redoubt::text
