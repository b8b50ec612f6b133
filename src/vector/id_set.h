#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vector/top_k.h"

namespace redoubt::vector {

// A set of ids below a fixed bound, one bit each: what a filter hands to a vector search.
class IdSet {
 public:
  static constexpr size_t kWordIds = 64;

  explicit IdSet(size_t bound = 0) : bound_(bound), words_((bound + 63) / 64) {}

  size_t bound() const { return bound_; }
  bool Contains(Id id) const { return id < bound_ && (words_[id / 64] >> (id % 64) & 1) != 0; }
  void Insert(Id id) { words_[id / 64] |= uint64_t{1} << (id % 64); }
  // The ids kWordIds * i + b for each bit b of `word`; all are below the bound.
  void InsertWord(size_t i, uint64_t word) {
    if (word != 0) words_[i] |= word;
  }
  void Erase(Id id) { words_[id / 64] &= ~(uint64_t{1} << (id % 64)); }

  size_t Count() const {
    size_t count = 0;
    for (uint64_t word : words_) count += static_cast<size_t>(std::popcount(word));
    return count;
  }

  // Set algebra with a set of the same bound.
  void IntersectWith(const IdSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  }
  void UniteWith(const IdSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  void Subtract(const IdSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
  }

  // In ascending order; stops when `visit` answers false.
  template <class Visit>
  void ForEach(Visit&& visit) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      for (uint64_t word = words_[i]; word != 0; word &= word - 1) {
        if (!visit(static_cast<Id>(i * 64 + static_cast<size_t>(std::countr_zero(word))))) return;
      }
    }
  }

 private:
  size_t bound_;
  std::vector<uint64_t> words_;
};

}  // namespace redoubt::vector
