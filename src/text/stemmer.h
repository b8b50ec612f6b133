#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::text {

// Brings the forms of a word to one stem ("connections" -> connect) by Snowball's rules for its language.
// Keeps state between words: one per thread. Moves, is not copied.
class Stemmer {
 public:
  // `language` in lower case, as Snowball names it ("english", "german", ...); nothing for one that it does not know.
  // "korean", "chinese" and "japanese" are known and leave every word as it is: their text is cut into pairs.
  static std::optional<Stemmer> Create(std::string_view language);

  bool changes_words() const { return snowball_ != nullptr; }
  // `word` is UTF-8 in lower case.
  std::string Stem(const std::string& word);

 private:
  struct Deleter {
    void operator()(void* stemmer) const;
  };
  Stemmer() = default;

  std::unique_ptr<void, Deleter> snowball_;  // an sb_stemmer; null: words stay as they are
};

}  // namespace redoubt::text
