#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::search {

// Words that are neither indexed nor searched for.
class StopWords {
 public:
  // Those that FT.* uses unless STOPWORDS says otherwise: 33 English ones.
  StopWords();
  // Case is folded; an empty list means none.
  explicit StopWords(std::span<const std::string> words);

  bool Contains(std::string_view word) const;

 private:
  std::shared_ptr<const std::vector<std::string>> words_;  // sorted; a query makes a copy
};

}  // namespace redoubt::search
