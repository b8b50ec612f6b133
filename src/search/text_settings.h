#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace redoubt::search {

// What FT.SEARCH says about the words of its query.
struct TextSettings {
  bool verbatim = false;                              // VERBATIM: no other forms of a word
  bool no_stop_words = false;                         // NOSTOPWORDS: they are searched for like others
  std::string language;                               // LANGUAGE; empty: that of the index
  std::optional<std::vector<std::string>> in_fields;  // INFIELDS: words elsewhere do not count
  std::optional<uint32_t> slop;                       // SLOP: of every row of words
  bool in_order = false;                              // INORDER: of every row of words
};

}  // namespace redoubt::search
