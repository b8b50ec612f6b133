#include "search/stop_words.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "text/fold.h"
#include "text/utf8.h"

namespace redoubt::search {

StopWords::StopWords() {
  // In order.
  static const auto kEnglish = std::make_shared<const std::vector<std::string>>(
      std::vector<std::string>{"a",   "an",    "and",  "are",   "as",    "at",   "be",   "but", "by",  "for",  "if",
                               "in",  "into",  "is",   "it",    "no",    "not",  "of",   "on",  "or",  "such", "that",
                               "the", "their", "then", "there", "these", "they", "this", "to",  "was", "will", "with"});
  words_ = kEnglish;
}

StopWords::StopWords(std::span<const std::string> words) {
  auto folded = std::make_shared<std::vector<std::string>>();
  for (const std::string& word : words) {
    std::string& one = folded->emplace_back();
    for (char32_t c : text::Fold(word)) text::AppendUtf8(c, one);
  }
  std::sort(folded->begin(), folded->end());
  words_ = std::move(folded);
}

bool StopWords::Contains(std::string_view word) const {
  return std::binary_search(words_->begin(), words_->end(), word, std::less<std::string_view>());
}

}  // namespace redoubt::search
