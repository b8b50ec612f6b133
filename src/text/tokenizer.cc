#include "text/tokenizer.h"

#include <algorithm>
#include <array>

#include "text/fold.h"
#include "text/stemmer.h"
#include "text/utf8.h"

namespace redoubt::text {
namespace {

// A stem of more than this is no word but a blob of base64; its first bytes stand for it.
constexpr size_t kMaxTermBytes = 64;

constexpr std::array<std::string_view, 64> kStopWords = {
    "a",    "about", "after", "all", "also", "am",   "an",   "and",   "any",   "are",  "as",   "at",    "be",
    "been", "but",   "by",    "can", "did",  "do",   "does", "every", "for",   "from", "get",  "gets",  "got",
    "had",  "has",   "have",  "how", "i",    "if",   "in",   "into",  "is",    "it",   "its",  "me",    "my",
    "of",   "on",    "or",    "our", "s",    "so",   "some", "t",     "that",  "the",  "then", "there", "they",
    "this", "to",    "very",  "was", "we",   "were", "what", "when",  "which", "will", "with", "you"};
static_assert(std::is_sorted(kStopWords.begin(), kStopWords.end()));

bool IsStopWord(std::string_view word) { return std::binary_search(kStopWords.begin(), kStopWords.end(), word); }

std::string ToUtf8(std::u32string_view code_points) {
  std::string out;
  for (char32_t c : code_points) AppendUtf8(c, out);
  return std::string(TruncateUtf8(out, kMaxTermBytes));
}

class TermWriter {
 public:
  explicit TermWriter(std::vector<std::string>& terms) : terms_(terms) {}

  // A run of kDense characters. A single one that clings to a Latin word is its particle ("RDB는") and says nothing.
  void Pairs(std::u32string_view run, bool after_word) {
    if (run.size() == 1 && !after_word) terms_.push_back(ToUtf8(run));
    for (size_t i = 0; i + 1 < run.size(); ++i) terms_.push_back(ToUtf8(run.substr(i, 2)));
  }

  // A run of word characters with joins between them.
  void Name(std::u32string_view run) {
    const bool compound = std::any_of(run.begin(), run.end(), IsJoin);
    if (compound) terms_.push_back(ToUtf8(run));
    while (!run.empty()) {
      const size_t end = std::find_if(run.begin(), run.end(), IsJoin) - run.begin();
      Word(run.substr(0, end));
      run.remove_prefix(std::min(run.size(), end + 1));
    }
  }

 private:
  static bool IsJoin(char32_t c) { return Classify(c) == CharClass::kJoin; }

  void Word(std::u32string_view run) {
    if (run.empty()) return;
    std::string word = ToUtf8(run);
    if (!IsStopWord(word)) terms_.push_back(stemmer_.Stem(word));
  }

  std::vector<std::string>& terms_;
  Stemmer stemmer_ = *Stemmer::Create("english");
};

// The end of the name that begins at `start`: joins count only between two word characters.
size_t NameEnd(const std::u32string& folded, size_t start) {
  size_t end = start + 1;
  while (end < folded.size()) {
    const CharClass here = Classify(folded[end]);
    const bool joined =
        here == CharClass::kJoin && end + 1 < folded.size() && Classify(folded[end + 1]) == CharClass::kWord;
    if (here != CharClass::kWord && !joined) break;
    ++end;
  }
  return end;
}

size_t DenseEnd(const std::u32string& folded, size_t start) {
  size_t end = start + 1;
  while (end < folded.size() && Classify(folded[end]) == CharClass::kDense) ++end;
  return end;
}

}  // namespace

std::vector<std::string> Tokenize(std::string_view utf8) {
  const std::u32string folded = Fold(utf8);
  const std::u32string_view view = folded;
  std::vector<std::string> terms;
  TermWriter writer(terms);
  for (size_t pos = 0; pos < folded.size();) {
    const CharClass here = Classify(folded[pos]);
    if (here == CharClass::kWord) {
      const size_t end = NameEnd(folded, pos);
      writer.Name(view.substr(pos, end - pos));
      pos = end;
    } else if (here == CharClass::kDense) {
      const size_t end = DenseEnd(folded, pos);
      const bool after_word = pos > 0 && Classify(folded[pos - 1]) == CharClass::kWord;
      writer.Pairs(view.substr(pos, end - pos), after_word);
      pos = end;
    } else {
      ++pos;
    }
  }
  return terms;
}

}  // namespace redoubt::text
