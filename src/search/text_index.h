#pragma once

#include <cstdint>
#include <functional>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "search/stop_words.h"
#include "search/term_dictionary.h"
#include "search/text_query.h"

namespace redoubt::search {

inline constexpr char kBetweenTexts = '\0';  // of a JSON array

struct TextIndexOptions {
  std::string language = "english";  // one that text::Stemmer knows
  bool stem = true;
  bool index_empty = false;  // an empty value is found as the word ""
  double weight = 1;
  StopWords stop_words;
  bool several = false;  // a value may be several texts with kBetweenTexts between them: rows of words end there
};

// The words of one field's documents and their places. Stop words take no place. See docs/design/ft-text.md.
// The const functions may run on many threads at once.
class TextIndex {
 public:
  TextIndex(TextIndexOptions options, std::pmr::memory_resource* memory);
  ~TextIndex();
  TextIndex(const TextIndex&) = delete;
  TextIndex& operator=(const TextIndex&) = delete;

  // Whose forms the words of documents that are set from now on have. Empty, or one that text::Stemmer does not know:
  // that of the index.
  void UseLanguage(std::string_view language);

  // Replaces what the document had. When std::bad_alloc is thrown the document has to be cleared.
  void Set(Id id, std::string_view value);
  // Takes no memory.
  void Clear(Id id);

  // Asked now and then; true: what was found until then will do.
  using Stop = std::function<bool()>;

  // The postings of every word that `pattern` stands for.
  std::vector<const PostingList*> Find(const TextPattern& pattern, const Stop& stop = nullptr) const;

  double weight() const { return options_.weight; }
  uint32_t Length(Id id) const { return id < documents_.size() ? documents_[id].words : 0; }  // words kept
  uint64_t total_length() const { return total_length_; }
  size_t terms() const { return terms_.size(); }
  size_t postings() const { return posting_count_; }  // of words in documents, each pair once
  size_t memory_bytes() const;

 private:
  using TermId = TermDictionary::TermId;
  struct Language {
    std::string name;
    std::optional<text::Stemmer> stemmer;
    std::string tag;  // at the end of its words in the dictionary; empty: that of the index
  };
  struct Occurrence {
    TermId term;
    uint32_t position;
  };
  // The words of a document, each once: the distances of their ascending ids, as varints. Where Clear() finds them.
  struct Document {
    uint8_t* terms = nullptr;
    uint32_t bytes = 0;
    uint32_t words = 0;
  };

  std::vector<Occurrence> Split(std::string_view value);
  // One text, whose first word stands at `place`.
  void SplitText(std::string_view text, uint32_t place, std::vector<Occurrence>& words);
  void Remember(Id id, const std::vector<Occurrence>& words);
  void FindForms(const TextPattern& pattern, std::vector<const PostingList*>& found) const;
  // Of one language. `stem` empty: only the word itself.
  void FindForms(const std::string& text, const std::string& stem, std::vector<const PostingList*>& found) const;
  void Expand(const TextPattern& pattern, const Stop& stop, std::vector<const PostingList*>& found) const;
  void Forget(Document& document);

  const TextIndexOptions options_;
  std::pmr::memory_resource* memory_;
  std::vector<Language> languages_;  // that of the index, then others that documents had
  size_t language_ = 0;              // of those, in use
  TermDictionary terms_;
  std::pmr::vector<Document> documents_;
  uint64_t total_length_ = 0;
  size_t posting_count_ = 0;
  size_t document_bytes_ = 0;
};

}  // namespace redoubt::search
