#include "search/stop_words.h"

#include <algorithm>

#include "text/fold.h"
#include "text/utf8.h"

namespace redoubt::search {

StopWords::StopWords()
    : words_{"a",   "an",    "and",  "are",   "as",    "at",   "be",   "but", "by",  "for",  "if",
             "in",  "into",  "is",   "it",    "no",    "not",  "of",   "on",  "or",  "such", "that",
             "the", "their", "then", "there", "these", "they", "this", "to",  "was", "will", "with"} {
  std::sort(words_.begin(), words_.end());
}

StopWords::StopWords(std::span<const std::string> words) {
  for (const std::string& word : words) {
    std::string& folded = words_.emplace_back();
    for (char32_t c : text::Fold(word)) text::AppendUtf8(c, folded);
  }
  std::sort(words_.begin(), words_.end());
}

bool StopWords::Contains(std::string_view word) const {
  return std::binary_search(words_.begin(), words_.end(), word, std::less<std::string_view>());
}

}  // namespace redoubt::search
