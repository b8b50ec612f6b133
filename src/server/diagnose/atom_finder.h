#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::diagnose {

// Finds which of many literal strings a text contains (Aho & Corasick 1975), ignoring the case of ASCII letters.
// Immutable after construction, safe on many threads.
class AtomFinder {
 public:
  explicit AtomFinder(const std::vector<std::string>& lower_case_atoms);

  // The numbers of the atoms that occur, each once, ascending. `seen` is scratch space that may be reused.
  void Find(std::string_view text, std::vector<int>& out) const;

 private:
  uint32_t Next(uint32_t state, uint8_t column) const { return next_[state * columns_ + column]; }

  std::array<uint8_t, 256> column_of_{};  // bytes that no atom holds share column 0
  size_t columns_ = 1;
  std::vector<uint32_t> next_;     // state x column -> state
  std::vector<int32_t> atom_at_;   // state -> atom that ends there, or -1
  std::vector<uint32_t> shorter_;  // state -> nearest suffix state that ends an atom, 0 for none
};

}  // namespace redoubt::diagnose
