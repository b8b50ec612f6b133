#pragma once

#include <cstdint>
#include <deque>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "search/posting_list.h"
#include "search/sorted_blocks.h"
#include "text/stemmer.h"

namespace redoubt::search {

// The words of one field and where each of them is. Words of one stem are linked, so that a stem is worked out once for
// each different word and the documents keep the words as they were written.
class TermDictionary {
 public:
  using TermId = uint32_t;

  struct Term {
    explicit Term(std::pmr::memory_resource* memory) : postings(memory) {}

    std::string_view text;  // the key in by_text_; no data for a free place
    PostingList postings;
    bool word = false;          // false: it is here only as the stem of others
    TermId stem = kNone;        // of a word that is not its own stem
    TermId first_form = kNone;  // of a stem: the words that have it, linked by next_form
    TermId next_form = kNone;
  };
  static constexpr TermId kNone = UINT32_MAX;

  explicit TermDictionary(std::pmr::memory_resource* memory);

  // `stemmer` null: the word is its own stem. `tag`: an end of its text, and of its stem's, that is no part of the
  // word. Throws std::bad_alloc with nothing changed.
  TermId FindOrAdd(std::string_view word, text::Stemmer* stemmer, std::string_view tag = {});
  // Forgets the word if no document holds it.
  void DropIfUnused(TermId id);

  const Term* Find(std::string_view text) const;  // null when there is none
  Term& at(TermId id) { return terms_[id]; }
  const Term& at(TermId id) const { return terms_[id]; }

  // Words in documents, in the order of their bytes, from `from` on until `visit` answers false.
  template <class Visit>
  void ForEachFrom(std::string_view from, Visit&& visit) const {
    sorted_.ForEachFrom(Entry{from.data(), static_cast<uint32_t>(from.size()), 0}, [&](const Entry& entry) {
      const Term& term = terms_[entry.id];
      return term.postings.empty() || visit(term);
    });
  }

  size_t size() const { return word_count_; }
  size_t memory_bytes() const;  // also of the postings

 private:
  struct Entry {
    const char* data;
    uint32_t size;
    TermId id;
    friend bool operator<(const Entry& a, const Entry& b) {
      return std::string_view(a.data, a.size) < std::string_view(b.data, b.size);
    }
  };
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  TermId FindOrAddText(std::string_view text);
  void LinkToStem(TermId id, std::string_view word, text::Stemmer& stemmer, std::string_view tag);
  void UnlinkFromStem(TermId id);
  void DropText(TermId id);

  std::pmr::memory_resource* memory_;
  std::pmr::unordered_map<std::pmr::string, TermId, TextHash, std::equal_to<>> by_text_;
  std::pmr::deque<Term> terms_;  // a deque: growing never moves what is there
  std::pmr::vector<TermId> free_;
  SortedBlocks<Entry> sorted_;
  size_t word_count_ = 0;
  size_t text_bytes_ = 0;
};

}  // namespace redoubt::search
