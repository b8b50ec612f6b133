#include "text/fold.h"

#include "text/utf8.h"

namespace redoubt::text {
namespace {

bool Within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

char32_t FoldOne(char32_t c) {
  if (Within(c, 0xFF01, 0xFF5E)) c -= 0xFEE0;  // full-width ASCII
  if (Within(c, U'A', U'Z')) return c + 0x20;
  if (Within(c, 0xC0, 0xDE) && c != 0xD7) return c + 0x20;                  // Latin-1
  if (Within(c, 0x391, 0x3A9) || Within(c, 0x410, 0x42F)) return c + 0x20;  // Greek, Cyrillic
  return c;
}

// Composition of Hangul jamo, The Unicode Standard 3.12: syllable = (L * 21 + V) * 28 + T.
constexpr char32_t kFirstSyllable = 0xAC00, kLastSyllable = 0xD7A3;
constexpr char32_t kLeadBase = 0x1100, kVowelBase = 0x1161, kTailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28;

bool ComposeJamo(char32_t& last, char32_t next) {
  if (Within(last, kLeadBase, kLeadBase + kLeads - 1) && Within(next, kVowelBase, kVowelBase + kVowels - 1)) {
    last = kFirstSyllable + ((last - kLeadBase) * kVowels + (next - kVowelBase)) * kTails;
    return true;
  }
  const bool open_syllable = Within(last, kFirstSyllable, kLastSyllable) && (last - kFirstSyllable) % kTails == 0;
  if (open_syllable && Within(next, kTailBase + 1, kTailBase + kTails - 1)) {
    last += next - kTailBase;
    return true;
  }
  return false;
}

}  // namespace

CharClass Classify(char32_t c) {
  if (Within(c, U'a', U'z') || Within(c, U'A', U'Z') || Within(c, U'0', U'9')) return CharClass::kWord;
  if (c == U'_' || c == U'-' || c == U'.' || c == U'/' || c == U':') return CharClass::kJoin;
  if (c < 0xC0 || c == 0xD7 || c == 0xF7) return CharClass::kSeparator;
  if (c < 0x530) return CharClass::kWord;  // Latin, Greek, Cyrillic
  if (Within(c, kFirstSyllable, kLastSyllable) || Within(c, 0x1100, 0x11FF) || Within(c, 0x3040, 0x30FF) ||
      Within(c, 0x3131, 0x318E) || Within(c, 0x3400, 0x4DBF) || Within(c, 0x4E00, 0x9FFF)) {
    return CharClass::kDense;
  }
  const bool punctuation = Within(c, 0x2000, 0x2BFF) || Within(c, 0x3000, 0x303F) || Within(c, 0xFE00, 0xFFFF) ||
                           c >= 0x1F000;  // general punctuation, arrows, boxes, CJK marks, emoji
  return punctuation ? CharClass::kSeparator : CharClass::kWord;
}

std::u32string Fold(std::string_view utf8) {
  std::u32string out;
  out.reserve(utf8.size());
  for (size_t pos = 0; pos < utf8.size();) {
    const char32_t c = FoldOne(DecodeUtf8(utf8, pos));
    if (out.empty() || !ComposeJamo(out.back(), c)) out += c;
  }
  return out;
}

}  // namespace redoubt::text
