#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace redoubt::text {

// A longer word stands for all that share its first bytes.
inline constexpr size_t kMaxWordBytes = 128;

// Cuts text into the words that a full-text field is searched by, in reading order:
//   - letters, digits and `_` form words in lower case; other punctuation and spaces separate them;
//   - a backslash makes the character behind it part of the word (`hello\-world` is one word);
//   - runs of Hangul, Han and kana become overlapping pairs (복제지연 -> 복제, 제지, 지연), so that any two syllables
//   in a
//     row are found; a single one stands alone.
// Case, width and jamo are folded as in Fold(). Any bytes are safe.
class WordSplitter {
 public:
  explicit WordSplitter(std::string_view utf8);

  // The next word; false at the end.
  bool Next(std::string& word);
  // Of the last word: whether it is a pair, or a single one, of characters written without spaces.
  bool dense() const { return dense_; }
  // Of the last word: whether nothing stands between it and the one before.
  bool joined() const { return joined_; }

 private:
  bool SkipSeparators();
  bool AtWord() const;
  void TakeWord(std::string& word);
  bool TakePair(std::string& word);

  std::u32string text_;
  size_t at_ = 0;
  bool dense_ = false;
  bool joined_ = false;
  bool first_ = true;
  bool in_run_ = false;  // text_[at_ - 1] began the last pair
};

}  // namespace redoubt::text
