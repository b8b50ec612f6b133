#include "search/text_query_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "search/args.h"
#include "search/create_text.h"
#include "text/utf8.h"
#include "text/word_splitter.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;
using Kind = FilterNode::Kind;
using PatternKind = TextPattern::Kind;

constexpr size_t kMaxWords = 1024;  // of a query

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '\\' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Separates words of a query as it does in documents, and means nothing else.
bool IsPunctuation(char c) { return std::string_view(",./;'?!#&^+<>`").find(c) != std::string_view::npos; }

NodePtr MakeText(TextClause clause) {
  auto node = std::make_unique<FilterNode>();
  node->kind = Kind::kText;
  node->text = std::make_unique<TextClause>(std::move(clause));
  return node;
}

// Matches nothing: an alternative of no branches.
NodePtr MakeNothing() {
  auto node = std::make_unique<FilterNode>();
  node->kind = Kind::kOr;
  return node;
}

void MultiplyWeight(FilterNode& node, double weight) {
  if (node.kind == Kind::kText) node.text->weight = std::min(node.text->weight * weight, 1e12);
  for (const auto& child : node.children) MultiplyWeight(*child, weight);
}

// The words that stand directly in a row, as one clause; null when there are not two of them.
std::unique_ptr<TextClause> RowOf(const FilterNode& node) {
  auto row = std::make_unique<TextClause>();
  row->slop = kAnySlop;
  row->in_order = false;
  for (const auto& child : node.children) {
    if (child->kind != Kind::kText) continue;
    std::vector<size_t> common;
    for (size_t field : child->text->fields) {
      const auto& known = row->fields;
      if (row->patterns.empty() || std::find(known.begin(), known.end(), field) != known.end()) common.push_back(field);
    }
    row->fields = std::move(common);
    row->patterns.insert(row->patterns.end(), child->text->patterns.begin(), child->text->patterns.end());
  }
  return row->patterns.size() > 1 ? std::move(row) : nullptr;
}

// The clause whose words' distance an attribute of `node` speaks of; null when it has no words.
TextClause* ProximityOf(FilterNode& node) {
  if (node.kind == Kind::kAnd && node.text == nullptr) node.text = RowOf(node);
  return node.text.get();
}

bool IsOneCharacter(std::string_view utf8) {
  size_t end = 0;
  text::DecodeUtf8(utf8, end);
  return end == utf8.size();
}

std::optional<bool> ParseBool(std::string_view text) {
  if (EqualsIgnoringCase(text, "true")) return true;
  if (EqualsIgnoringCase(text, "false")) return false;
  return std::nullopt;
}

}  // namespace

struct TextQueryParser::Word {
  std::string text;
  bool dense = false;
  bool joined = false;
  PatternKind kind = PatternKind::kWord;
};

TextQueryParser::TextQueryParser(QueryScanner& scan, const IndexDefinition& definition, const TextSettings& settings)
    : scan_(scan),
      definition_(definition),
      settings_(settings),
      stop_words_(definition.stop_words ? StopWords(*definition.stop_words) : StopWords()) {
  for (size_t i = 0; i < definition.fields.size(); ++i) {
    if (definition.fields[i].type == FieldType::kText && !definition.fields[i].no_index) all_fields_.push_back(i);
  }
  if (settings.verbatim || all_fields_.empty()) return;
  stemmer_ = text::Stemmer::Create(settings.language.empty() ? definition.language : settings.language);
  if (stemmer_ && !stemmer_->changes_words()) stemmer_.reset();
}

std::vector<size_t> TextQueryParser::Allowed(std::vector<size_t> fields) const {
  if (!settings_.in_fields) return fields;
  const auto& names = *settings_.in_fields;
  std::erase_if(fields, [&](size_t field) {
    return std::find(names.begin(), names.end(), definition_.fields[field].name) == names.end();
  });
  return fields;
}

bool TextQueryParser::AtText(int dialect) {
  while (!scan_.done() && (scan_.SkipSpace(), IsPunctuation(scan_.Peek()))) scan_.Rewind(scan_.offset() + 1);
  const char next = scan_.Peek();
  if (next == '*') return IsWordByte(scan_.PeekAfter(1));
  return !scan_.done() && (IsWordByte(next) || next == '"' || next == '%' || (next == '$' && dialect >= 2));
}

Result<NodePtr> TextQueryParser::Parse(std::vector<size_t> fields) {
  fields = Allowed(std::move(fields));
  if (scan_.Peek() == '%') {
    return base::Unimplemented(
        fmt::format("Fuzzy matching (%word%) is not part of this version; offset {}", scan_.offset()));
  }
  return scan_.Peek() == '"' ? ParsePhrase(std::move(fields)) : ParseWord(std::move(fields));
}

Result<std::vector<TextQueryParser::Word>> TextQueryParser::Split(std::string_view raw) {
  std::vector<Word> words;
  text::WordSplitter splitter(raw);
  for (std::string text; splitter.Next(text);) {
    if (++words_ > kMaxWords) return InvalidArgument(fmt::format("Query has more than {} words", kMaxWords));
    words.push_back({text, splitter.dense(), splitter.joined(), PatternKind::kWord});
  }
  return words;
}

// A star stands for the rest of a word; Korean pairs are found inside words as they are.
Status TextQueryParser::SetEnds(std::vector<Word>& words, bool star_before, bool star_after, size_t offset) const {
  if (words.empty()) return scan_.SyntaxErrorAt(offset);
  const auto expand = [&](Word& word, PatternKind kind) -> Status {
    if (word.dense && !IsOneCharacter(word.text)) return OkStatus();
    const size_t least = settings_.parts.least_letters;
    if (word.text.size() < least) {
      return scan_.ErrorAt(fmt::format("A part of a word needs at least {} letters:", least), offset, word.text);
    }
    word.kind = word.kind == PatternKind::kWord ? kind : PatternKind::kInfix;
    return OkStatus();
  };
  if (star_before) RETURN_IF_ERROR(expand(words.front(), PatternKind::kSuffix));
  if (star_after) RETURN_IF_ERROR(expand(words.back(), PatternKind::kPrefix));
  return OkStatus();
}

TextPattern TextQueryParser::Pattern(Word& word, bool alone) {
  TextPattern pattern;
  pattern.kind = word.kind;
  pattern.text = std::move(word.text);
  pattern.most_words = settings_.parts.most_expansions;
  const bool stems = alone && !word.dense && word.kind == PatternKind::kWord && stemmer_.has_value();
  if (stems) pattern.stem = stemmer_->Stem(pattern.text);
  return pattern;
}

// Words that stand together without a space; null when all of them are stop words.
Result<NodePtr> TextQueryParser::Clause(std::vector<Word> words, const std::vector<size_t>& fields) {
  TextClause clause;
  clause.fields = fields;
  const bool alone = words.size() == 1;
  for (Word& word : words) {
    if (word.kind == PatternKind::kWord && !settings_.no_stop_words && stop_words_.Contains(word.text)) continue;
    clause.patterns.push_back(Pattern(word, alone));
  }
  if (clause.patterns.empty()) return NodePtr();
  if (fields.empty()) return MakeNothing();
  return MakeText(std::move(clause));
}

Result<NodePtr> TextQueryParser::ParsePhrase(std::vector<size_t> fields) {
  const size_t begin = scan_.offset();
  scan_.Step();
  while (!scan_.done() && scan_.Peek() != '"') scan_.Step();
  if (scan_.done()) return scan_.SyntaxErrorAt(begin);
  const std::string_view raw = scan_.Between(begin + 1, scan_.offset());
  scan_.Step();
  ASSIGN_OR_RETURN(std::vector<Word> words, Split(raw));
  TextClause clause;
  for (Word& word : words) {
    if (!settings_.no_stop_words && stop_words_.Contains(word.text)) continue;
    clause.patterns.push_back(Pattern(word, false));
  }
  if (raw.empty()) {
    std::erase_if(fields, [&](size_t field) { return !definition_.fields[field].index_empty; });
    if (fields.empty()) {
      return InvalidArgument("Use `INDEXEMPTY` in field creation in order to index and query for empty strings");
    }
    clause.patterns.emplace_back();
  }
  if (clause.patterns.empty()) return NodePtr();
  if (fields.empty()) return MakeNothing();
  clause.fields = std::move(fields);
  return MakeText(std::move(clause));
}

std::string_view TextQueryParser::TakeRaw() {
  const size_t begin = scan_.offset();
  while (!scan_.done() && IsWordByte(scan_.Peek())) scan_.Step();
  return scan_.Between(begin, scan_.offset());
}

Result<NodePtr> TextQueryParser::ParseWord(std::vector<size_t> fields) {
  const size_t offset = scan_.offset();
  const bool star_before = scan_.Peek() == '*';
  if (star_before) scan_.Rewind(offset + 1);
  std::string_view raw;
  if (scan_.Peek() == '$') {
    scan_.Rewind(scan_.offset() + 1);
    ASSIGN_OR_RETURN(raw, scan_.Param(scan_.Name()));
  } else {
    raw = TakeRaw();
  }
  if ((raw == "w" || raw == "W") && scan_.Peek() == '\'') {
    return base::Unimplemented("Wildcard patterns w'...' are not part of this version: use word*, *word or *word*");
  }
  const bool star_after = scan_.Peek() == '*';
  if (star_after) scan_.Rewind(scan_.offset() + 1);
  ASSIGN_OR_RETURN(std::vector<Word> words, Split(raw));
  if (star_before || star_after) RETURN_IF_ERROR(SetEnds(words, star_before, star_after, offset));
  // A parameter may hold several words.
  auto row = std::make_unique<FilterNode>();
  row->kind = Kind::kAnd;
  for (size_t begin = 0, end = 0; begin < words.size(); begin = end) {
    for (end = begin + 1; end < words.size() && words[end].joined;) ++end;
    std::vector<Word> together(std::make_move_iterator(words.begin() + static_cast<ptrdiff_t>(begin)),
                               std::make_move_iterator(words.begin() + static_cast<ptrdiff_t>(end)));
    ASSIGN_OR_RETURN(NodePtr node, Clause(std::move(together), fields));
    if (node != nullptr) row->children.push_back(std::move(node));
  }
  if (row->children.empty()) return NodePtr();
  if (row->children.size() == 1) return std::move(row->children[0]);
  ApplySettings(*row);
  return row;
}

void TextQueryParser::ApplySettings(FilterNode& row) const {
  if (row.kind != Kind::kAnd || (!settings_.slop && !settings_.in_order)) return;
  row.text = RowOf(row);
  if (row.text == nullptr) return;
  row.text->slop = settings_.slop.value_or(kAnySlop);
  row.text->in_order = settings_.in_order;
}

Status TextQueryParser::SetAttribute(FilterNode& node, std::string_view name, std::string_view value) {
  const auto bad = [&] { return InvalidArgument(fmt::format("Invalid value ({}) for `{}`", value, name)); };
  if (name == "WEIGHT") {
    const std::optional<double> weight = ParseWeight(value);
    if (!weight) return bad();
    MultiplyWeight(node, *weight);
    return OkStatus();
  }
  if (name == "SLOP") {
    const std::optional<size_t> slop = ParseSize(value);
    if (!slop && value != "-1") return bad();
    TextClause* clause = ProximityOf(node);
    if (clause != nullptr) clause->slop = slop && *slop < kAnySlop ? static_cast<uint32_t>(*slop) : kAnySlop;
    return OkStatus();
  }
  if (name == "INORDER") {
    const std::optional<bool> in_order = ParseBool(value);
    if (!in_order) return bad();
    TextClause* clause = ProximityOf(node);
    if (clause != nullptr) clause->in_order = *in_order;
    return OkStatus();
  }
  if (name == "PHONETIC") return OkStatus();  // no field has it
  return InvalidArgument(fmt::format("Invalid attribute {}", name));
}

}  // namespace redoubt::search
