#include "search/text_index.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "search/create_text.h"
#include "search/varint.h"
#include "text/word_splitter.h"

namespace redoubt::search {

namespace {

// Between a word and the number of its language: no byte of UTF-8, and words are UTF-8.
constexpr char kTag = '\xff';

std::optional<text::Stemmer> StemmerOf(const std::string& language) {
  std::optional<text::Stemmer> stemmer = text::Stemmer::Create(language);
  if (stemmer && !stemmer->changes_words()) stemmer.reset();
  return stemmer;
}

std::string_view WithoutTag(std::string_view text) {
  constexpr size_t kTagBytes = 2;
  return text.size() >= kTagBytes && text[text.size() - kTagBytes] == kTag ? text.substr(0, text.size() - kTagBytes)
                                                                           : text;
}

}  // namespace

TextIndex::TextIndex(TextIndexOptions options, std::pmr::memory_resource* memory)
    : options_(std::move(options)), memory_(memory), terms_(memory), documents_(memory) {
  languages_.push_back({options_.language, {}, {}});
  if (options_.stem) languages_[0].stemmer = StemmerOf(options_.language);
}

void TextIndex::UseLanguage(std::string_view language) {
  language_ = 0;
  if (!options_.stem || language.empty()) return;  // words without forms are the same in all languages
  const std::string name = LanguageName(language);
  for (; language_ < languages_.size(); ++language_) {
    if (languages_[language_].name == name) return;
  }
  if (!IsLanguage(name)) {
    language_ = 0;
    return;
  }
  languages_.push_back({name, StemmerOf(name), {kTag, static_cast<char>(language_)}});
}

TextIndex::~TextIndex() {
  for (Document& document : documents_) Forget(document);
}

void TextIndex::Forget(Document& document) {
  if (document.terms != nullptr) memory_->deallocate(document.terms, document.bytes, 1);
  document_bytes_ -= document.bytes;
  document = {};
}

void TextIndex::SplitText(std::string_view text, uint32_t place, std::vector<Occurrence>& words) {
  Language& language = languages_[language_];
  text::Stemmer* stemmer = language.stemmer ? &*language.stemmer : nullptr;
  text::WordSplitter splitter(text);
  std::string word;
  while (splitter.Next(word)) {
    if (options_.stop_words.Contains(word)) continue;
    words.push_back({terms_.FindOrAdd(word, splitter.dense() ? nullptr : stemmer, language.tag), place++});
  }
}

std::vector<TextIndex::Occurrence> TextIndex::Split(std::string_view value) {
  constexpr uint32_t kPlacesBetweenTexts = 100;  // a slop hardly reaches over
  std::vector<Occurrence> words;
  try {
    for (std::string_view rest = value;;) {
      const size_t end = options_.several ? rest.find(kBetweenTexts) : std::string_view::npos;
      SplitText(rest.substr(0, end), words.empty() ? 0 : words.back().position + kPlacesBetweenTexts, words);
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    if (value.empty() && options_.index_empty) words.push_back({terms_.FindOrAdd("", nullptr), 0});
  } catch (...) {
    for (const Occurrence& known : words) terms_.DropIfUnused(known.term);
    throw;
  }
  std::sort(words.begin(), words.end(), [](const Occurrence& a, const Occurrence& b) {
    return a.term != b.term ? a.term < b.term : a.position < b.position;
  });
  return words;
}

void TextIndex::Remember(Id id, const std::vector<Occurrence>& words) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < words.size(); ++i) {
    const TermId before = i == 0 ? 0 : words[i - 1].term;
    if (i == 0 || words[i].term != before) AppendVarint(words[i].term - before, bytes);
  }
  Document& document = documents_[id];
  document.terms = static_cast<uint8_t*>(memory_->allocate(bytes.size(), 1));
  std::memcpy(document.terms, bytes.data(), bytes.size());
  document.bytes = static_cast<uint32_t>(bytes.size());
  document.words = static_cast<uint32_t>(words.size());
  document_bytes_ += bytes.size();
  total_length_ += words.size();
}

void TextIndex::Set(Id id, std::string_view value) {
  Clear(id);
  if (id >= documents_.size()) documents_.resize(size_t{id} + 1);
  const std::vector<Occurrence> words = Split(value);
  if (words.empty()) return;
  try {
    Remember(id, words);
  } catch (...) {
    for (const Occurrence& word : words) terms_.DropIfUnused(word.term);
    throw;
  }
  std::vector<uint32_t> positions;
  for (size_t i = 0; i < words.size(); ++i) {
    positions.push_back(words[i].position);
    if (i + 1 < words.size() && words[i + 1].term == words[i].term) continue;
    terms_.at(words[i].term).postings.Insert(id, positions);
    ++posting_count_;
    positions.clear();
  }
}

void TextIndex::Clear(Id id) {
  if (id >= documents_.size() || documents_[id].terms == nullptr) return;
  Document& document = documents_[id];
  TermId term = 0;
  const uint8_t* at = document.terms;
  for (const uint8_t* end = at + document.bytes; at < end;) {
    term += static_cast<TermId>(ReadVarint(at));
    // Not there when memory ran out half way through Set().
    if (terms_.at(term).postings.Remove(id)) --posting_count_;
    terms_.DropIfUnused(term);
  }
  total_length_ -= document.words;
  Forget(document);
}

std::vector<const PostingList*> TextIndex::Find(const TextPattern& pattern, const Stop& stop) const {
  std::vector<const PostingList*> found;
  if (pattern.kind == TextPattern::Kind::kWord) {
    FindForms(pattern, found);
  } else {
    Expand(pattern, stop, found);
  }
  return found;
}

void TextIndex::FindForms(const TextPattern& pattern, std::vector<const PostingList*>& found) const {
  const std::string& stem = options_.stem ? pattern.stem : std::string();
  FindForms(pattern.text, stem, found);
  for (size_t i = 1; i < languages_.size(); ++i) {
    const std::string& tag = languages_[i].tag;
    FindForms(pattern.text + tag, stem.empty() ? stem : stem + tag, found);
  }
}

void TextIndex::FindForms(const std::string& text, const std::string& stem_text,
                          std::vector<const PostingList*>& found) const {
  const auto add = [&](const PostingList& postings) {
    if (!postings.empty()) found.push_back(&postings);
  };
  const TermDictionary::Term* word = terms_.Find(text);
  if (word != nullptr) add(word->postings);
  if (stem_text.empty()) return;
  const TermDictionary::Term* stem = terms_.Find(stem_text);
  if (stem == nullptr) return;
  // The stem may be a word too, which has a stem of its own then.
  if (stem != word && stem->stem == TermDictionary::kNone) add(stem->postings);
  for (TermId form = stem->first_form; form != TermDictionary::kNone; form = terms_.at(form).next_form) {
    if (&terms_.at(form) != word) add(terms_.at(form).postings);
  }
}

void TextIndex::Expand(const TextPattern& pattern, const Stop& stop, std::vector<const PostingList*>& found) const {
  constexpr size_t kWordsBetweenStops = 4096;
  size_t seen = 0;
  const bool prefix = pattern.kind == TextPattern::Kind::kPrefix;
  const bool suffix = pattern.kind == TextPattern::Kind::kSuffix;
  terms_.ForEachFrom(prefix ? pattern.text : std::string_view(), [&](const TermDictionary::Term& term) {
    if (prefix && !term.text.starts_with(pattern.text)) return false;
    const std::string_view text = WithoutTag(term.text);
    const bool matches =
        prefix || (suffix ? text.ends_with(pattern.text) : text.find(pattern.text) != std::string_view::npos);
    if (matches) found.push_back(&term.postings);
    if (++seen % kWordsBetweenStops == 0 && stop && stop()) return false;
    return found.size() < pattern.most_words;
  });
}

size_t TextIndex::memory_bytes() const {
  return terms_.memory_bytes() + documents_.capacity() * sizeof(Document) + document_bytes_;
}

}  // namespace redoubt::search
