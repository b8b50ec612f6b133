#include "search/explain.h"

#include <fmt/core.h>

namespace redoubt::search {
namespace {

using Kind = FilterNode::Kind;

std::string TagText(const TagPattern& tag) {
  const bool before = tag.kind == TagPattern::Kind::kSuffix || tag.kind == TagPattern::Kind::kContains;
  const bool after = tag.kind == TagPattern::Kind::kPrefix || tag.kind == TagPattern::Kind::kContains;
  return fmt::format("{}{}{}", before ? "*" : "", tag.text, after ? "*" : "");
}

// The words of a phrase, in front of them the field when it is only one.
std::string TextTerm(const TextClause& clause, const IndexDefinition& definition) {
  std::string term;
  if (clause.fields.size() == 1) term = "@" + definition.fields[clause.fields[0]].name + ":";
  for (const TextPattern& pattern : clause.patterns) {
    if (!term.empty() && !term.ends_with(':')) term += ' ';
    term += pattern.text;
  }
  return term;
}

std::string RangeText(const NumericRange& range, std::string_view field) {
  return fmt::format("{:f} {} @{} {} {:f}", range.low, range.low_open ? "<" : "<=", field,
                     range.high_open ? "<" : "<=", range.high);
}

class Explainer {
 public:
  explicit Explainer(const IndexDefinition& definition) : definition_(definition) {}

  void Add(const FilterNode& node, int level) {
    switch (node.kind) {
      case Kind::kAll:
        return Line(level, "<WILDCARD>");
      case Kind::kNumeric:
        return Line(level, "NUMERIC {" + FilterNodeTerm(node, definition_) + "}");
      case Kind::kTag:
        Line(level, fmt::format("TAG:@{} {{", definition_.fields[node.field].name));
        for (const TagPattern& tag : node.tags) Line(level + 1, TagText(tag));
        return Line(level, "}");
      default:
        return AddOther(node, level);
    }
  }

  void Line(int level, std::string_view line) {
    text_.append(static_cast<size_t>(level) * 2, ' ');
    text_ += line;
    text_ += '\n';
  }

  std::string Take() { return std::move(text_); }

 private:
  void AddOther(const FilterNode& node, int level) {
    std::string term = FilterNodeTerm(node, definition_);
    if (node.children.empty()) return Line(level, FilterNodeName(node) + " {" + term + "}");
    Line(level, FilterNodeName(node) + " {");
    for (const auto& child : node.children) Add(*child, level + 1);
    Line(level, "}");
  }

  const IndexDefinition& definition_;
  std::string text_;
};

}  // namespace

std::string FilterNodeName(const FilterNode& node) {
  switch (node.kind) {
    case Kind::kAll:
      return "WILDCARD";
    case Kind::kAnd:
      return "INTERSECT";
    case Kind::kOr:
      return "UNION";
    case Kind::kNot:
      return "NOT";
    case Kind::kTag:
      return "TAG";
    case Kind::kNumeric:
      return "NUMERIC";
    case Kind::kVectorRange:
      return "VECTOR_RANGE";
    case Kind::kOptional:
      return "OPTIONAL";
    case Kind::kMissing:
      return "ISMISSING";
    case Kind::kKeys:
      return "INKEYS";
    case Kind::kText:
      return "TEXT";
  }
  return "TEXT";
}

std::string FilterNodeTerm(const FilterNode& node, const IndexDefinition& definition) {
  if (node.kind == Kind::kNumeric) return RangeText(node.range, definition.fields[node.field].name);
  if (node.kind == Kind::kVectorRange) {
    return fmt::format("@{} within {:g}", definition.fields[node.field].name, node.vector_range->radius);
  }
  if (node.kind == Kind::kMissing) return "@" + definition.fields[node.field].name;
  if (node.kind == Kind::kKeys) return fmt::format("{} keys", node.keys.size());
  std::string term;
  if (node.kind == Kind::kText) term = TextTerm(*node.text, definition);
  for (const TagPattern& tag : node.tags) term += (term.empty() ? "" : " | ") + TagText(tag);
  return term;
}

std::string Explain(const Query& query, const IndexDefinition& definition) {
  Explainer explainer(definition);
  if (!query.knn) {
    explainer.Add(*query.filter, 0);
    return explainer.Take();
  }
  explainer.Line(0, fmt::format("VECTOR {{K={} nearest vectors to @{}, distance as `{}`", query.knn->k,
                                definition.fields[query.knn->field].name, query.knn->distance_name));
  explainer.Add(*query.filter, 1);
  explainer.Line(0, "}");
  return explainer.Take();
}

}  // namespace redoubt::search
