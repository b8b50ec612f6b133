#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace redoubt::search {

// Words of a field, as a query names them. `text` is folded as the words of documents are.
struct TextPattern {
  enum class Kind { kWord, kPrefix, kSuffix, kInfix };
  Kind kind = Kind::kWord;
  std::string text;
  size_t most_words = 200;  // of others than kWord: that it stands for, the first in the order of their bytes
  std::string stem;         // of a kWord: its forms are meant too; empty: only `text` itself
};

inline constexpr uint32_t kAnySlop = UINT32_MAX;

// A word, or words close to each other in one field.
struct TextClause {
  std::vector<TextPattern> patterns;  // at least one
  std::vector<size_t> fields;         // positions in the definition's fields: in any of them
  double weight = 1;
  uint32_t slop = 0;     // of several patterns: how many other words may stand between them in all
  bool in_order = true;  // of several patterns: they come in the order given
};

}  // namespace redoubt::search
