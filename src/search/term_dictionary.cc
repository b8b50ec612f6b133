#include "search/term_dictionary.h"

#include <algorithm>

namespace redoubt::search {

TermDictionary::TermDictionary(std::pmr::memory_resource* memory)
    : memory_(memory), by_text_(memory), terms_(memory), free_(memory), sorted_(memory) {}

const TermDictionary::Term* TermDictionary::Find(std::string_view text) const {
  const auto found = by_text_.find(text);
  return found == by_text_.end() ? nullptr : &terms_[found->second];
}

TermDictionary::TermId TermDictionary::FindOrAddText(std::string_view text) {
  if (const auto found = by_text_.find(text); found != by_text_.end()) return found->second;
  if (free_.empty()) {
    // Giving an id back must not need memory.
    if (free_.capacity() <= terms_.size()) free_.reserve(std::max<size_t>(16, 2 * terms_.size()));
    terms_.emplace_back(memory_);
    free_.push_back(static_cast<TermId>(terms_.size() - 1));
  }
  const TermId id = free_.back();
  const auto place = by_text_.emplace(std::pmr::string(text, memory_), id).first;
  try {
    sorted_.Insert({place->first.data(), static_cast<uint32_t>(place->first.size()), id});
  } catch (...) {
    by_text_.erase(place);
    throw;
  }
  free_.pop_back();
  terms_[id].text = place->first;
  text_bytes_ += text.size();
  return id;
}

TermDictionary::TermId TermDictionary::FindOrAdd(std::string_view word, text::Stemmer* stemmer, std::string_view tag) {
  const TermId id = tag.empty() ? FindOrAddText(word) : FindOrAddText(std::string(word).append(tag));
  Term& term = terms_[id];
  if (term.word) return id;
  try {
    if (stemmer != nullptr) LinkToStem(id, word, *stemmer, tag);
  } catch (...) {
    DropIfUnused(id);
    throw;
  }
  term.word = true;
  ++word_count_;
  return id;
}

void TermDictionary::LinkToStem(TermId id, std::string_view word, text::Stemmer& stemmer, std::string_view tag) {
  std::string stem = stemmer.Stem(std::string(word));
  if (stem == word || stem.empty()) return;
  const TermId stem_id = FindOrAddText(stem.append(tag));
  terms_[id].stem = stem_id;
  terms_[id].next_form = terms_[stem_id].first_form;
  terms_[stem_id].first_form = id;
}

void TermDictionary::UnlinkFromStem(TermId id) {
  Term& term = terms_[id];
  if (term.stem == kNone) return;
  const TermId stem = term.stem;
  TermId* link = &terms_[stem].first_form;
  while (*link != id) link = &terms_[*link].next_form;
  *link = term.next_form;
  term.stem = term.next_form = kNone;
  DropText(stem);
}

// Only a text that is neither a word nor a stem goes.
void TermDictionary::DropText(TermId id) {
  Term& term = terms_[id];
  if (term.word || term.first_form != kNone) return;
  sorted_.Erase({term.text.data(), static_cast<uint32_t>(term.text.size()), id});
  text_bytes_ -= term.text.size();
  by_text_.erase(by_text_.find(term.text));
  term.text = {};
  free_.push_back(id);
}

void TermDictionary::DropIfUnused(TermId id) {
  Term& term = terms_[id];
  if (!term.postings.empty() || term.text.data() == nullptr) return;
  if (term.word) --word_count_;
  term.word = false;
  UnlinkFromStem(id);
  DropText(id);
}

size_t TermDictionary::memory_bytes() const {
  // A node of the map: its link, the hash, the string and the id.
  constexpr size_t kNodeBytes = 2 * sizeof(void*) + sizeof(std::pmr::string) + sizeof(TermId);
  size_t bytes = by_text_.size() * kNodeBytes + by_text_.bucket_count() * sizeof(void*) + text_bytes_ +
                 terms_.size() * sizeof(Term) + free_.capacity() * sizeof(TermId) + sorted_.memory_bytes();
  for (const Term& term : terms_) bytes += term.postings.memory_bytes();
  return bytes;
}

}  // namespace redoubt::search
