#include "text/word_splitter.h"

#include <utility>

#include "text/fold.h"
#include "text/utf8.h"

namespace redoubt::text {
namespace {

enum class Part { kSeparator, kWord, kDense };

Part PartOf(char32_t c) {
  if (c == U'_') return Part::kWord;
  switch (Classify(c)) {
    case CharClass::kWord:
      return Part::kWord;
    case CharClass::kDense:
      return Part::kDense;
    case CharClass::kSeparator:
    case CharClass::kJoin:
      return Part::kSeparator;
  }
  return Part::kSeparator;
}

}  // namespace

WordSplitter::WordSplitter(std::string_view utf8) : text_(Fold(utf8)) {}

bool WordSplitter::AtWord() const {
  if (at_ >= text_.size()) return false;
  if (text_[at_] == U'\\') return at_ + 1 < text_.size();
  return PartOf(text_[at_]) == Part::kWord;
}

bool WordSplitter::SkipSeparators() {
  while (at_ < text_.size() && !AtWord() && PartOf(text_[at_]) != Part::kDense) ++at_;
  return at_ < text_.size();
}

void WordSplitter::TakeWord(std::string& word) {
  for (; AtWord(); ++at_) {
    if (text_[at_] == U'\\') ++at_;
    // Not cut here but below: a character more or less may not end in the middle of one.
    if (word.size() <= kMaxWordBytes) AppendUtf8(text_[at_], word);
  }
  word.resize(TruncateUtf8(word, kMaxWordBytes).size());
}

// From the character at at_; false when it is the last of a run whose pairs are out already.
bool WordSplitter::TakePair(std::string& word) {
  const bool pair = at_ + 1 < text_.size() && PartOf(text_[at_ + 1]) == Part::kDense;
  const bool alone = !pair && !in_run_;
  if (pair || alone) AppendUtf8(text_[at_], word);
  if (pair) AppendUtf8(text_[at_ + 1], word);
  in_run_ = pair;
  ++at_;
  return pair || alone;
}

bool WordSplitter::Next(std::string& word) {
  word.clear();
  joined_ = !std::exchange(first_, false);
  for (size_t before = at_; SkipSeparators(); before = at_) {
    joined_ = joined_ && at_ == before;
    dense_ = PartOf(text_[at_]) == Part::kDense;
    if (dense_ && TakePair(word)) return true;
    if (dense_) continue;
    TakeWord(word);
    return true;
  }
  return false;
}

}  // namespace redoubt::text
