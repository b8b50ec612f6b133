#pragma once

#include <string>
#include <string_view>

namespace redoubt::text {

enum class CharClass {
  kSeparator,
  kWord,   // letters and digits that form words with spaces between them
  kJoin,   // '_', '-', '.', '/', ':' : part of a name when a word character stands on both sides
  kDense,  // Hangul, Han, kana: written without a space between every two words
};

CharClass Classify(char32_t code_point);

// One spelling for what a reader takes as the same: lower case, full-width forms as ASCII, conjoining jamo composed
// into syllables. Bytes that are no UTF-8 become U+FFFD.
std::u32string Fold(std::string_view utf8);

}  // namespace redoubt::text
