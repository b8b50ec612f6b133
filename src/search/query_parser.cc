#include "search/query_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "search/args.h"
#include "search/knn_parser.h"
#include "search/query_scanner.h"
#include "search/range_parser.h"
#include "search/text_query_parser.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;
using Kind = FilterNode::Kind;

constexpr int kMaxDepth = 100;  // parentheses and negations inside one another
constexpr size_t kMaxQueryBytes = 1 << 20;

NodePtr MakeNode(Kind kind) {
  auto node = std::make_unique<FilterNode>();
  node->kind = kind;
  return node;
}

// Children that are null were nothing but stop words; null when all were.
NodePtr Join(Kind kind, std::vector<NodePtr> children) {
  std::erase(children, nullptr);
  if (children.empty()) return nullptr;
  if (children.size() == 1) return std::move(children[0]);
  NodePtr node = MakeNode(kind);
  node->children = std::move(children);
  return node;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct Bound {
  double value = 0;
  bool open = false;
};

class QueryParser {
 public:
  QueryParser(std::string_view text, const Params& params, int dialect, const IndexDefinition& definition,
              const TextSettings& settings)
      : scan_(text, params), dialect_(dialect), definition_(definition), text_(scan_, definition, settings) {}

  Result<Query> Parse() {
    Query query;
    ASSIGN_OR_RETURN(query.filter, ParseExpression(0));
    if (query.filter == nullptr) query.filter = MakeNode(Kind::kOr);  // stop words only: matches nothing
    query.has_text = has_text_;
    scan_.SkipSpace();
    size_t arrow = scan_.offset();
    if (scan_.Take("=>")) {
      scan_.SkipSpace();
      if (dialect_ < 2) return NeedsDialect(arrow, ">[");
      ASSIGN_OR_RETURN(query.knn, ParseKnn(scan_, definition_, query.filter->kind != Kind::kAll));
      RETURN_IF_ERROR(CheckName(query.knn->distance_name));
    }
    scan_.SkipSpace();
    if (!scan_.done()) return scan_.SyntaxError();
    query.range_names = std::move(range_names_);
    return query;
  }

 private:
  Status CheckName(std::string_view knn_name) const {
    if (std::find(range_names_.begin(), range_names_.end(), knn_name) == range_names_.end()) return OkStatus();
    return InvalidArgument(
        fmt::format("Two distances of the query are named `{}`: give each a name of its own", knn_name));
  }

  Status NeedsDialect(size_t offset, std::string_view near) const {
    Status error = scan_.ErrorAt("Syntax error", offset, near);
    return InvalidArgument(error.message() +
                           ": vector queries need `PARAMS 2 <name> <blob> DIALECT 2` after the query");
  }

  // Dialect 2: `a b | c d` is (a b) | (c d). Dialect 1: a (b | c) d.
  Result<NodePtr> ParseExpression(int depth) {
    if (depth > kMaxDepth) return InvalidArgument("Query is nested too deep: at most 100 levels");
    return dialect_ >= 2 ? ParseSeries(Kind::kOr, Kind::kAnd, depth) : ParseSeries(Kind::kAnd, Kind::kOr, depth);
  }

  Result<NodePtr> ParseSeries(Kind outer, Kind inner, int depth) {
    std::vector<NodePtr> children;
    do {
      ASSIGN_OR_RETURN(NodePtr child, ParseInner(inner, depth));
      children.push_back(std::move(child));
    } while (ContinuesWith(outer));
    return Finish(outer, std::move(children));
  }

  Result<NodePtr> ParseInner(Kind kind, int depth) {
    std::vector<NodePtr> children;
    do {
      ASSIGN_OR_RETURN(NodePtr child, ParseUnary(depth));
      children.push_back(std::move(child));
    } while (ContinuesWith(kind));
    return Finish(kind, std::move(children));
  }

  NodePtr Finish(Kind kind, std::vector<NodePtr> children) const {
    const bool row = kind == Kind::kAnd && children.size() > 1;
    NodePtr node = Join(kind, std::move(children));
    if (row && node != nullptr) text_.ApplySettings(*node);
    return node;
  }

  bool ContinuesWith(Kind kind) {
    if (kind == Kind::kOr) return scan_.Take("|");
    if (text_.AtText(dialect_)) return true;
    char next = scan_.Peek();
    return !scan_.done() && next != ')' && next != '|' && next != '=';
  }

  Result<NodePtr> ParseUnary(int depth) {
    if (depth > kMaxDepth) return InvalidArgument("Query is nested too deep: at most 100 levels");
    for (auto [sign, kind] : {std::pair("-", Kind::kNot), {"~", Kind::kOptional}}) {
      if (!scan_.Take(sign)) continue;
      ASSIGN_OR_RETURN(NodePtr child, ParseUnary(depth + 1));
      if (child == nullptr) return child;
      NodePtr node = MakeNode(kind);
      node->children.push_back(std::move(child));
      return node;
    }
    ASSIGN_OR_RETURN(NodePtr node, ParsePrimary(depth));
    RETURN_IF_ERROR(ParseAttributes(node.get()));
    return node;
  }

  Result<NodePtr> ParsePrimary(int depth) {
    if (scan_.Take("(")) {
      ASSIGN_OR_RETURN(NodePtr node, ParseExpression(depth + 1));
      RETURN_IF_ERROR(scan_.Expect(")"));
      return node;
    }
    if (scan_.Take("@")) return ParseLeaf(depth);
    if (const size_t before = scan_.offset(); dialect_ >= 2 && scan_.TakeWord("ismissing")) {
      if (scan_.Take("(")) return ParseMissing();
      scan_.Rewind(before);
    }
    if (text_.AtText(dialect_)) return ParseText();
    if (scan_.Take("*")) return MakeNode(Kind::kAll);
    return scan_.SyntaxError();
  }

  // In the fields that were named, else in all of them.
  Result<NodePtr> ParseText() {
    const size_t offset = scan_.offset();
    if (scope_.empty() && text_.all_fields().empty()) return NoText(offset);
    has_text_ = true;
    return text_.Parse(scope_.empty() ? text_.all_fields() : scope_);
  }

  // `=>{$weight: 2; $slop: 1; $inorder: true}`; `node` is null where only stop words were.
  Status ParseAttributes(FilterNode* node) {
    size_t before = scan_.offset();
    if (!scan_.Take("=>") || !scan_.Take("{")) {
      scan_.Rewind(before);
      return OkStatus();
    }
    while (!scan_.Take("}")) {
      RETURN_IF_ERROR(scan_.Expect("$"));
      std::string name = ToUpper(scan_.Name());
      RETURN_IF_ERROR(scan_.Expect(":"));
      ASSIGN_OR_RETURN(std::string_view value, scan_.Value());
      FilterNode nothing;
      RETURN_IF_ERROR(text_.SetAttribute(node == nullptr ? nothing : *node, name, value));
      scan_.Take(";");
    }
    return OkStatus();
  }

  Status NoText(size_t offset) {
    scan_.Rewind(offset);
    return InvalidArgument(
        fmt::format("The index has no TEXT field: `{}` at offset {} names no field; use @field:{{tag}} or "
                    "@field:[low high]",
                    scan_.Name(), offset));
  }

  // Position of a field that can be searched; the scan stands behind its `@`.
  Result<size_t> ParseFieldName() {
    size_t offset = scan_.offset();
    std::string name = scan_.Name();
    if (name.empty()) return scan_.SyntaxErrorAt(offset);
    std::optional<size_t> field = definition_.FindField(name);
    if (!field) return scan_.ErrorAt("Unknown field", offset - 1, name);
    return *field;
  }

  Result<NodePtr> ParseLeaf(int depth) {
    size_t offset = scan_.offset();
    std::vector<size_t> fields;
    do {
      ASSIGN_OR_RETURN(size_t field, ParseFieldName());
      if (definition_.fields[field].no_index) {
        return scan_.ErrorAt("Field is NOINDEX and cannot be searched", offset - 1, definition_.fields[field].name);
      }
      fields.push_back(field);
    } while (scan_.Take("|"));
    scan_.SkipSpace();
    char next = scan_.Peek();
    if (next == '<' || next == '>' || next == '!' || (next == '=' && scan_.PeekAfter(1) == '=')) {
      return ParseComparison(fields[0], offset);
    }
    RETURN_IF_ERROR(scan_.Expect(":"));
    scan_.SkipSpace();
    if (fields.size() == 1 && scan_.Peek() == '{') return ParseTags(fields[0], offset);
    if (fields.size() == 1 && scan_.Peek() == '[') return ParseRange(fields[0], offset);
    return ParseScoped(std::move(fields), offset, depth);
  }

  // What stands behind `@f:` or `@f|g:`: a word, a phrase or an expression of them in parentheses.
  Result<NodePtr> ParseScoped(std::vector<size_t> fields, size_t offset, int depth) {
    for (size_t field : fields) RETURN_IF_ERROR(Expect(field, FieldType::kText, offset));
    if (scan_.Peek() == '@') return scan_.SyntaxError();
    std::swap(scope_, fields);
    Result<NodePtr> node = ParseUnary(depth + 1);
    scope_ = std::move(fields);
    return node;
  }

  // ismissing(@f), behind the parenthesis.
  Result<NodePtr> ParseMissing() {
    RETURN_IF_ERROR(scan_.Expect("@"));
    ASSIGN_OR_RETURN(size_t field, ParseFieldName());
    RETURN_IF_ERROR(scan_.Expect(")"));
    if (!definition_.fields[field].index_missing) {
      return InvalidArgument(fmt::format("'ismissing' requires field '{}' to be defined with 'INDEXMISSING'",
                                         definition_.fields[field].name));
    }
    NodePtr node = MakeNode(Kind::kMissing);
    node->field = field;
    return node;
  }

  Status Expect(size_t field, FieldType type, size_t offset) const {
    if (definition_.fields[field].type == type) return OkStatus();
    return scan_.ErrorAt(fmt::format("Expected a {} field", FieldTypeName(type)), offset,
                         definition_.fields[field].name);
  }

  Result<NodePtr> ParseRange(size_t field, size_t offset) {
    RETURN_IF_ERROR(scan_.Expect("["));
    if (scan_.TakeWord("VECTOR_RANGE")) {
      if (dialect_ < 2) return NeedsDialect(offset, "VECTOR_RANGE");
      return ParseVectorRange(scan_, definition_, field, offset, range_names_);
    }
    RETURN_IF_ERROR(Expect(field, FieldType::kNumeric, offset));
    NodePtr node = MakeNode(Kind::kNumeric);
    node->field = field;
    ASSIGN_OR_RETURN(Bound low, ParseBound());
    scan_.Take(",");
    Bound high = low;
    if (!scan_.Take("]")) {
      ASSIGN_OR_RETURN(high, ParseBound());
      RETURN_IF_ERROR(scan_.Expect("]"));
    }
    node->range = {low.value, high.value, low.open, high.open};
    return node;
  }

  Result<Bound> ParseBound() {
    Bound bound;
    bound.open = scan_.Take("(");
    scan_.SkipSpace();
    size_t offset = scan_.offset();
    ASSIGN_OR_RETURN(std::string_view text, scan_.Value());
    if (text.ends_with(',')) {  // `[1, 2]`
      text.remove_suffix(1);
    }
    std::optional<double> value = ParseDouble(text);
    if (!value) return scan_.SyntaxErrorAt(offset);
    bound.value = *value;
    return bound;
  }

  // @n>=3 and its like.
  Result<NodePtr> ParseComparison(size_t field, size_t offset) {
    RETURN_IF_ERROR(Expect(field, FieldType::kNumeric, offset));
    NodePtr node = MakeNode(Kind::kNumeric);
    node->field = field;
    for (std::string_view op : {"==", "!=", ">=", "<=", ">", "<"}) {
      if (!scan_.Take(op)) continue;
      ASSIGN_OR_RETURN(Bound bound, ParseBound());
      if (op[0] != '<') node->range.low = bound.value;
      if (op[0] != '>') node->range.high = bound.value;
      node->range.low_open = op == ">";
      node->range.high_open = op == "<";
      if (op != "!=") return node;
      NodePtr negation = MakeNode(Kind::kNot);
      negation->children.push_back(std::move(node));
      return negation;
    }
    return scan_.SyntaxError();
  }

  Result<NodePtr> ParseTags(size_t field, size_t offset) {
    RETURN_IF_ERROR(Expect(field, FieldType::kTag, offset));
    RETURN_IF_ERROR(scan_.Expect("{"));
    NodePtr node = MakeNode(Kind::kTag);
    node->field = field;
    do {
      ASSIGN_OR_RETURN(TagPattern tag, ParseTag());
      node->tags.push_back(std::move(tag));
    } while (scan_.Take("|"));
    RETURN_IF_ERROR(scan_.Expect("}"));
    return node;
  }

  Result<TagPattern> ParseTag() {
    scan_.SkipSpace();
    if (scan_.Peek() == '"' || scan_.Peek() == '\'') return ParseQuotedTag();
    if (scan_.Peek() == '$' && dialect_ >= 2) {
      ASSIGN_OR_RETURN(std::string_view value, scan_.Value());
      return TagPattern{TagPattern::Kind::kExact, std::string(value)};
    }
    return ParsePlainTag();
  }

  Result<TagPattern> ParseQuotedTag() {
    size_t begin = scan_.offset();
    char quote = scan_.Peek();
    TagPattern tag;
    for (scan_.Rewind(begin + 1); scan_.Peek() != quote; scan_.Rewind(scan_.offset() + 1)) {
      if (scan_.done()) return scan_.SyntaxErrorAt(begin);
      if (scan_.Peek() == '\\') scan_.Rewind(scan_.offset() + 1);
      if (scan_.done()) return scan_.SyntaxErrorAt(begin);
      tag.text += scan_.Peek();
    }
    scan_.Rewind(scan_.offset() + 1);
    return tag;
  }

  // Up to `|` or `}`. A star at an end makes it a prefix, suffix or infix.
  Result<TagPattern> ParsePlainTag() {
    size_t begin = scan_.offset();
    TagPattern tag;
    bool star_before = scan_.Take("*");
    bool star_after = false;
    for (; !scan_.done() && scan_.Peek() != '|' && scan_.Peek() != '}'; scan_.Rewind(scan_.offset() + 1)) {
      char c = scan_.Peek();
      if (c == '{') return scan_.SyntaxError();
      if (star_after && c != ' ') return scan_.SyntaxErrorAt(scan_.offset() - 1);
      star_after = star_after || c == '*';
      if (c == '*') continue;
      if (c == '\\') scan_.Rewind(scan_.offset() + 1);
      if (scan_.done()) return scan_.SyntaxErrorAt(begin);
      tag.text += scan_.Peek();
    }
    tag.text = Trim(tag.text);
    if (tag.text.empty()) return scan_.SyntaxErrorAt(begin);
    if (star_before && star_after) tag.kind = TagPattern::Kind::kContains;
    if (star_before && !star_after) tag.kind = TagPattern::Kind::kSuffix;
    if (!star_before && star_after) tag.kind = TagPattern::Kind::kPrefix;
    return tag;
  }

  QueryScanner scan_;
  const int dialect_;
  const IndexDefinition& definition_;
  std::vector<std::string> range_names_;
  TextQueryParser text_;
  std::vector<size_t> scope_;  // fields named in front of a `:`; none: words are looked up in all
  bool has_text_ = false;
};

}  // namespace

Result<Query> ParseQuery(std::string_view text, const Params& params, int dialect, const IndexDefinition& definition,
                         const TextSettings& settings) {
  if (text.size() > kMaxQueryBytes) return InvalidArgument("Query is longer than 1 MiB: pass values by PARAMS");
  return QueryParser(text, params, dialect, definition, settings).Parse();
}

}  // namespace redoubt::search
