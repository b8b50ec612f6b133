#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "search/args.h"
#include "search/query.h"
#include "search/query_scanner.h"
#include "search/schema.h"
#include "search/stop_words.h"
#include "search/text_settings.h"
#include "text/stemmer.h"

namespace redoubt::search {

using NodePtr = std::unique_ptr<FilterNode>;

// Reads the words, phrases, prefixes, suffixes and infixes of a query. Borrows all it is given.
class TextQueryParser {
 public:
  TextQueryParser(QueryScanner& scan, const IndexDefinition& definition, const TextSettings& settings);

  // Whether a word, `"phrase"`, `*suffix`, `%fuzzy%` or (dialect 2) `$parameter` comes next, after spaces and
  // punctuation, which it steps over.
  bool AtText(int dialect);
  // What comes next, in any of `fields`; null when nothing but stop words does.
  Result<NodePtr> Parse(std::vector<size_t> fields);

  // The TEXT fields that words without a field are looked up in.
  const std::vector<size_t>& all_fields() const { return all_fields_; }
  // Those of `fields` that INFIELDS leaves.
  std::vector<size_t> Allowed(std::vector<size_t> fields) const;

  // $weight, $slop, $inorder of the clause `node`, in upper case.
  Status SetAttribute(FilterNode& node, std::string_view name, std::string_view value);
  // SLOP and INORDER of the command, on a row of words.
  void ApplySettings(FilterNode& row) const;

 private:
  struct Word;

  Result<NodePtr> ParsePhrase(std::vector<size_t> fields);
  Result<NodePtr> ParseWord(std::vector<size_t> fields);
  std::string_view TakeRaw();
  Result<std::vector<Word>> Split(std::string_view raw);
  Result<NodePtr> Clause(std::vector<Word> words, const std::vector<size_t>& fields);
  Status SetEnds(std::vector<Word>& words, bool star_before, bool star_after, size_t offset) const;
  TextPattern Pattern(Word& word, bool alone);

  QueryScanner& scan_;
  const IndexDefinition& definition_;
  const TextSettings& settings_;
  const StopWords stop_words_;
  std::optional<text::Stemmer> stemmer_;
  std::vector<size_t> all_fields_;
  size_t words_ = 0;  // of the whole query
};

}  // namespace redoubt::search
