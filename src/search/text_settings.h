#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace redoubt::search {

// What a part of a word, as in `wor*`, may stand for.
struct WordParts {
  size_t least_letters = 2;      // MINPREFIX: of one alphabet; a part that is shorter is refused
  size_t most_expansions = 200;  // MAXEXPANSIONS: words, the first in the order of their bytes
};

// What FT.SEARCH says about the words of its query.
struct TextSettings {
  bool verbatim = false;                              // VERBATIM: no other forms of a word
  bool no_stop_words = false;                         // NOSTOPWORDS: they are searched for like others
  std::string language;                               // LANGUAGE; empty: that of the index
  std::optional<std::vector<std::string>> in_fields;  // INFIELDS: words elsewhere do not count
  std::optional<uint32_t> slop;                       // SLOP: of every row of words
  bool in_order = false;                              // INORDER: of every row of words
  WordParts parts;                                    // FT.CONFIG
};

}  // namespace redoubt::search
