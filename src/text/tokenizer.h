#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace redoubt::text {

// Cuts Korean and English text into the terms that the index counts, in reading order, repeats included:
//   - words of Latin letters and digits: lower case, English stem ("Rejected connections" -> reject, connect);
//     words without meaning of their own ("the", "is") are left out;
//   - names of fields, files and options: whole and in parts (mem_fragmentation_ratio -> itself, mem, fragment, ratio);
//   - Hangul, Han and kana: overlapping pairs of characters (복제지연 -> 복제, 제지, 지연), which find a noun whatever
//     ending or particle follows it; a single character stands alone.
// Conjoining jamo (text from macOS) count as syllables, full-width letters as plain ones. Bytes that are no UTF-8
// separate words. Pure; safe on many threads.
std::vector<std::string> Tokenize(std::string_view utf8);

}  // namespace redoubt::text
