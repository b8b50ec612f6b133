#include "search/search_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "search/create_text.h"
#include "search/query_options.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;

class RequestParser {
 public:
  RequestParser(std::span<const std::string_view> args, const IndexDefinition& definition,
                const SearchDefaults& defaults)
      : args_(args), definition_(definition), defaults_(defaults), dialect_(defaults.dialect) {
    plan_.timeout_ms = defaults.timeout_ms;
    plan_.payload_field = definition.payload_field;
    text_settings_.parts = defaults.parts;
  }

  Result<SearchPlan> Parse() {
    ASSIGN_OR_RETURN(std::string_view text, args_.Next("query"));
    while (!args_.done()) RETURN_IF_ERROR(ParseOption());
    ASSIGN_OR_RETURN(plan_.query, ParseQuery(text, params_, dialect_, definition_, text_settings_));
    AddExtraFilters();
    RETURN_IF_ERROR(ResolveSort());
    ResolveReturns();
    return std::move(plan_);
  }

 private:
  Status ParseOption() {
    if (TakeFlag()) return OkStatus();
    if (args_.Take("LIMIT")) return ParseLimit();
    if (args_.Take("SORTBY")) return ParseSortBy();
    if (args_.Take("RETURN")) return ParseReturn();
    if (args_.Take("PARAMS")) return ParseParams(args_, params_);
    if (args_.Take("DIALECT")) return ParseDialect(args_, dialect_);
    if (args_.Take("TIMEOUT")) return ParseTimeout(args_, plan_.timeout_ms);
    if (args_.Take("FILTER")) return ParseLegacyFilter();
    return ParseTextOption();
  }

  bool TakeFlag() {
    if (args_.Take("NOCONTENT")) return plan_.no_content = true;
    if (args_.Take("WITHSCORES")) return plan_.with_scores = true;
    if (args_.Take("WITHPAYLOADS")) return plan_.with_payloads = true;
    if (args_.Take("WITHSORTKEYS")) return plan_.with_sort_keys = true;
    if (args_.Take("VERBATIM")) return text_settings_.verbatim = true;
    if (args_.Take("NOSTOPWORDS")) return text_settings_.no_stop_words = true;
    if (args_.Take("INORDER")) return text_settings_.in_order = true;
    return false;
  }

  Status ParseTextOption() {
    if (args_.Take("LANGUAGE")) {
      ASSIGN_OR_RETURN(text_settings_.language, ParseLanguage(args_));
      return OkStatus();
    }
    if (args_.Take("SCORER")) return ParseScorer();
    if (args_.Take("SLOP")) return ParseSlop();
    if (args_.Take("INFIELDS")) return ParseInFields();
    if (args_.Take("INKEYS")) return ParseInKeys();
    if (args_.Take("EXPANDER")) return args_.Next("EXPANDER").status();
    for (std::string_view option : {"SUMMARIZE", "HIGHLIGHT", "GEOFILTER", "EXPLAINSCORE", "PAYLOAD"}) {
      if (EqualsIgnoringCase(args_.Peek(), option)) {
        return base::Unimplemented(fmt::format("{} in FT.SEARCH is not part of this version: leave it out", option));
      }
    }
    return InvalidArgument(
        fmt::format("Unknown argument `{}` at position {} for <main>", args_.Peek(), args_.position()));
  }

  Status ParseScorer() {
    ASSIGN_OR_RETURN(std::string_view name, args_.Next("SCORER"));
    if (EqualsIgnoringCase(name, "BM25") || EqualsIgnoringCase(name, "BM25STD")) return OkStatus();
    if (EqualsIgnoringCase(name, "DOCSCORE")) {
      plan_.scorer = Scorer::kDocument;
      return OkStatus();
    }
    for (std::string_view known : {"TFIDF", "TFIDF.DOCNORM", "DISMAX", "HAMMING", "BM25STD.NORM", "BM25STD.TANH"}) {
      if (EqualsIgnoringCase(name, known)) {
        return base::Unimplemented(fmt::format("SCORER {} is not part of this version: use BM25STD", known));
      }
    }
    return InvalidArgument(fmt::format("No such scorer {}", name));
  }

  // Negative: any distance.
  Status ParseSlop() {
    ASSIGN_OR_RETURN(std::string_view text, args_.Next("SLOP"));
    const std::optional<size_t> slop = ParseSize(text);
    if (!slop && text != "-1") return InvalidArgument(fmt::format("Bad arguments for SLOP: {} is no count", text));
    text_settings_.slop = slop && *slop < kAnySlop ? static_cast<uint32_t>(*slop) : kAnySlop;
    return OkStatus();
  }

  Status ParseInFields() {
    ASSIGN_OR_RETURN(std::span<const std::string_view> names, args_.NextList("INFIELDS"));
    text_settings_.in_fields.emplace(names.begin(), names.end());
    return OkStatus();
  }

  Status ParseInKeys() {
    ASSIGN_OR_RETURN(std::span<const std::string_view> keys, args_.NextList("INKEYS"));
    auto node = std::make_unique<FilterNode>();
    node->kind = FilterNode::Kind::kKeys;
    node->keys.assign(keys.begin(), keys.end());
    extra_filters_.push_back(std::move(node));
    return OkStatus();
  }

  Status ParseLimit() {
    Result<size_t> offset = args_.NextSize("LIMIT");
    Result<size_t> limit = offset.ok() ? args_.NextSize("LIMIT") : offset;
    if (!limit.ok()) return InvalidArgument("LIMIT requires two numeric arguments");
    plan_.offset = *offset;
    plan_.limit = *limit;
    if (plan_.limit > defaults_.max_results)
      return InvalidArgument(fmt::format("LIMIT exceeds maximum of {}", defaults_.max_results));
    if (plan_.offset > defaults_.max_results)
      return InvalidArgument(fmt::format("OFFSET exceeds maximum of {}", defaults_.max_results));
    return OkStatus();
  }

  Status ParseSortBy() {
    ASSIGN_OR_RETURN(std::string_view name, args_.Next("SORTBY"));
    if (name.starts_with('@')) name.remove_prefix(1);
    sort_by_ = name;
    if (args_.Take("DESC")) {
      plan_.ascending = false;
    } else {
      args_.Take("ASC");
    }
    args_.Take("WITHCOUNT");
    return OkStatus();
  }

  Status ParseReturn() {
    ASSIGN_OR_RETURN(std::span<const std::string_view> names, args_.NextList("RETURN"));
    plan_.returns.emplace();
    for (size_t i = 0; i < names.size(); ++i) {
      std::string_view path = names[i];
      if (path.starts_with('@')) path.remove_prefix(1);
      ReturnField field = {std::string(path), std::string(path)};
      if (i + 1 < names.size() && EqualsIgnoringCase(names[i + 1], "AS")) {
        if (i + 2 >= names.size()) return InvalidArgument("RETURN path AS name - must be accompanied with NAME");
        field.name = names[i + 2];
        i += 2;
      }
      plan_.returns->push_back(std::move(field));
    }
    return OkStatus();
  }

  // FILTER field low high: the form from before the query language had ranges.
  Status ParseLegacyFilter() {
    ASSIGN_OR_RETURN(std::string_view name, args_.Next("FILTER"));
    std::optional<size_t> field = definition_.FindField(name);
    if (!field || definition_.fields[*field].type != FieldType::kNumeric) {
      return InvalidArgument(fmt::format("Unknown Field '{}' : FILTER needs a NUMERIC field of the index", name));
    }
    auto node = std::make_unique<FilterNode>();
    node->kind = FilterNode::Kind::kNumeric;
    node->field = *field;
    NumericRange& range = node->range;
    RETURN_IF_ERROR(ParseLegacyBound(range.low, range.low_open));
    RETURN_IF_ERROR(ParseLegacyBound(range.high, range.high_open));
    extra_filters_.push_back(std::move(node));
    return OkStatus();
  }

  Status ParseLegacyBound(double& value, bool& open) {
    ASSIGN_OR_RETURN(std::string_view text, args_.Next("FILTER"));
    open = text.starts_with('(');
    if (open) text.remove_prefix(1);
    std::optional<double> number = ParseDouble(text);
    if (!number) return InvalidArgument(fmt::format("Bad lower or upper range: {}", text));
    value = *number;
    return OkStatus();
  }

  void AddExtraFilters() {
    if (extra_filters_.empty()) return;
    extra_filters_.push_back(std::move(plan_.query.filter));
    plan_.query.filter = std::make_unique<FilterNode>();
    plan_.query.filter->kind = FilterNode::Kind::kAnd;
    plan_.query.filter->children = std::move(extra_filters_);
  }

  Status ResolveSort() {
    if (!sort_by_) {
      if (plan_.query.has_text && !plan_.query.knn) plan_.sort = SortKind::kScore;
      return OkStatus();
    }
    if (plan_.query.knn && plan_.query.knn->distance_name == *sort_by_) {
      plan_.sort = SortKind::kDistance;
      return OkStatus();
    }
    if (std::optional<size_t> range = plan_.query.FindRange(*sort_by_)) {
      plan_.sort = SortKind::kRangeDistance;
      plan_.sort_field = *range;
      return OkStatus();
    }
    std::optional<size_t> field = definition_.FindField(*sort_by_);
    if (!field || definition_.fields[*field].type == FieldType::kVector) {
      return InvalidArgument(fmt::format("Property `{}` not loaded nor in schema", *sort_by_));
    }
    if (definition_.fields[*field].type == FieldType::kText && !definition_.fields[*field].sortable) {
      return InvalidArgument(fmt::format("SORTBY needs the TEXT field `{}` to be SORTABLE", *sort_by_));
    }
    plan_.sort = SortKind::kField;
    plan_.sort_field = *field;
    return OkStatus();
  }

  void ResolveReturns() {
    if (!plan_.returns) return;
    if (plan_.returns->empty()) plan_.no_content = true;
    for (ReturnField& field : *plan_.returns) {
      if (std::optional<size_t> known = definition_.FindField(field.path)) field.path = definition_.fields[*known].path;
    }
  }

  ArgCursor args_;
  const IndexDefinition& definition_;
  const SearchDefaults& defaults_;
  SearchPlan plan_;
  Params params_;
  TextSettings text_settings_;
  int dialect_;
  std::optional<std::string> sort_by_;
  std::vector<std::unique_ptr<FilterNode>> extra_filters_;
};

}  // namespace

Result<SearchPlan> PlanSearch(std::span<const std::string_view> args, const IndexDefinition& definition,
                              const SearchDefaults& defaults) {
  return RequestParser(args, definition, defaults).Parse();
}

}  // namespace redoubt::search
