#include "search/aggregate_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "search/aggregate_columns.h"
#include "search/aggregate_words.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;
using Words = std::span<const std::string_view>;

std::string_view WithoutAt(std::string_view name) {
  if (name.starts_with('@')) name.remove_prefix(1);
  return name;
}

// Turns the steps as they were written into steps over columns.
class Planner {
 public:
  Planner(const AggregateWords& words, const IndexDefinition& definition, AggregatePlan& plan)
      : words_(words), plan_(plan), columns_(definition, plan) {}

  Status Plan() {
    if (words_.add_scores) RETURN_IF_ERROR(columns_.Find("__score").status());
    for (size_t i = 0; i < words_.steps.size(); ++i) RETURN_IF_ERROR(PlanStep(i));
    SetRowsThatAreNeeded();
    return OkStatus();
  }

 private:
  Status PlanStep(size_t i) {
    const StepWords& step = words_.steps[i];
    switch (step.kind) {
      case StepWords::Kind::kLoad:
        return PlanLoad(step);
      case StepWords::Kind::kGroup:
        return PlanGroup(step);
      case StepWords::Kind::kSort:
        return PlanSort(step, i + 1 < words_.steps.size() ? &words_.steps[i + 1] : nullptr);
      case StepWords::Kind::kApply:
        return PlanApply(step);
      case StepWords::Kind::kFilter:
        return PlanFilter(step);
      case StepWords::Kind::kLimit:
        plan_.steps.emplace_back(LimitStep{step.offset, step.count});
        return OkStatus();
    }
    return OkStatus();
  }

  Status PlanLoad(const StepWords& step) {
    if (plan_.stages.size() > 1) return InvalidArgument("LOAD cannot be applied after projectors or reducers");
    if (step.everything) {
      columns_.LoadEverything();
      return OkStatus();
    }
    for (size_t i = 0; i < step.words.size(); ++i) {
      std::string_view name = WithoutAt(step.words[i]);
      std::string_view alias = name;
      if (i + 1 < step.words.size() && EqualsIgnoringCase(step.words[i + 1], "AS")) {
        if (i + 2 >= step.words.size()) return InvalidArgument("LOAD path AS name - must be accompanied with NAME");
        alias = WithoutAt(step.words[i + 2]);
        i += 2;
      }
      RETURN_IF_ERROR(columns_.Load(name, alias));
    }
    return OkStatus();
  }

  Result<size_t> Column(std::string_view name, std::string_view error) {
    ASSIGN_OR_RETURN(std::optional<size_t> column, columns_.Find(name));
    if (column) return *column;
    return InvalidArgument(fmt::format(fmt::runtime(error), name));
  }

  Result<Expression> Parse(std::string_view text) {
    return Expression::Parse(text, words_.params, [this](std::string_view name) {
      return Column(name, "Property `{}` not loaded nor in pipeline");
    });
  }

  Status PlanApply(const StepWords& step) {
    ASSIGN_OR_RETURN(Expression expression, Parse(step.expression));
    ASSIGN_OR_RETURN(size_t column, columns_.FindOrAdd(step.alias));
    plan_.steps.emplace_back(ApplyStep{std::move(expression), column});
    return OkStatus();
  }

  Status PlanFilter(const StepWords& step) {
    ASSIGN_OR_RETURN(Expression expression, Parse(step.expression));
    plan_.steps.emplace_back(FilterStep{std::move(expression)});
    return OkStatus();
  }

  // What is sorted is cut to MAX, to the LIMIT that follows, or to ten.
  Status PlanSort(const StepWords& step, const StepWords* next) {
    constexpr size_t kDefaultRows = 10;
    SortStep sort;
    for (size_t i = 0; i < step.words.size(); ++i) {
      if (!step.words[i].starts_with('@')) {
        return InvalidArgument(fmt::format("MISSING ASC or DESC after sort field ({})", step.words[i]));
      }
      SortStep::Key key;
      ASSIGN_OR_RETURN(key.column, Column(WithoutAt(step.words[i]), "Property `{}` not loaded nor in schema"));
      if (i + 1 < step.words.size() && EqualsIgnoringCase(step.words[i + 1], "DESC")) key.ascending = false;
      if (i + 1 < step.words.size() && (!key.ascending || EqualsIgnoringCase(step.words[i + 1], "ASC"))) ++i;
      sort.keys.push_back(key);
    }
    sort.most = step.count > 0 ? step.count : kDefaultRows;
    if (step.count == 0 && next != nullptr && next->kind == StepWords::Kind::kLimit) {
      sort.most = next->offset + next->count;
    }
    plan_.steps.emplace_back(std::move(sort));
    return OkStatus();
  }

  Status PlanGroup(const StepWords& step) {
    GroupStep group;
    std::vector<std::string> names;
    for (std::string_view word : step.words) {
      if (!word.starts_with('@')) {
        return InvalidArgument(
            fmt::format("Bad arguments for GROUPBY: Unknown property `{0}`. Did you mean `@{0}`?", word));
      }
      ASSIGN_OR_RETURN(size_t column, Column(WithoutAt(word), "No such property `{}`"));
      group.keys.push_back(column);
      RETURN_IF_ERROR(AddName(names, std::string(WithoutAt(word))));
    }
    for (const ReducerWords& reducer : step.reducers) {
      ASSIGN_OR_RETURN(ReducerSpec spec, PlanReducer(reducer));
      group.reducers.push_back(spec);
      RETURN_IF_ERROR(AddName(names, ReducerAlias(reducer, spec.kind)));
    }
    plan_.steps.emplace_back(std::move(group));
    columns_.BeginStage(std::move(names));
    return OkStatus();
  }

  static Status AddName(std::vector<std::string>& names, std::string name) {
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return InvalidArgument(fmt::format("Property `{}` specified more than once", name));
    }
    names.push_back(std::move(name));
    return OkStatus();
  }

  static std::string ReducerAlias(const ReducerWords& reducer, ReducerKind kind) {
    if (!reducer.alias.empty()) return std::string(reducer.alias);
    std::string words(ReducerName(kind));
    for (size_t i = 0; i < reducer.words.size(); ++i) {
      if (i > 0) words += ',';
      words += WithoutAt(reducer.words[i]);
    }
    for (char& c : words) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    return "__generated_alias" + words;
  }

  Result<size_t> ReducerColumn(std::string_view word) {
    return Column(WithoutAt(word), "Property `{}` not present in document or pipeline");
  }

  Result<ReducerSpec> PlanReducer(const ReducerWords& reducer) {
    std::optional<ReducerKind> kind = FindReducer(reducer.name);
    if (!kind) return InvalidArgument(fmt::format("No such reducer: {}", reducer.name));
    ReducerSpec spec;
    spec.kind = *kind;
    ArgCursor args(reducer.words);
    if (spec.kind == ReducerKind::kCount) {
      if (!args.done()) return InvalidArgument("Count accepts 0 values only");
      return spec;
    }
    if (args.done()) return InvalidArgument(fmt::format("Missing arguments for {}", ReducerName(*kind)));
    ASSIGN_OR_RETURN(std::string_view name, args.Next("REDUCE"));
    ASSIGN_OR_RETURN(spec.column, ReducerColumn(name));
    RETURN_IF_ERROR(PlanReducerOptions(args, spec));
    if (args.done()) return spec;
    return InvalidArgument(fmt::format("Extra arguments for `{}`: `{}`", ReducerName(*kind), args.Peek()));
  }

  Status PlanReducerOptions(ArgCursor& args, ReducerSpec& spec) {
    if (spec.kind == ReducerKind::kQuantile) {
      ASSIGN_OR_RETURN(spec.quantile, args.NextDouble("QUANTILE"));
      if (spec.quantile < 0 || spec.quantile > 1) return InvalidArgument("Percentage must be between 0.0 and 1.0");
    } else if (spec.kind == ReducerKind::kRandomSample) {
      ASSIGN_OR_RETURN(spec.sample, args.NextSize("RANDOM_SAMPLE"));
      if (spec.sample > kMaxSample) return InvalidArgument("Sample size too large");
    } else if (spec.kind == ReducerKind::kFirstValue && args.Take("BY")) {
      if (args.done()) return InvalidArgument("Missing arguments for FIRST_VALUE");
      ASSIGN_OR_RETURN(std::string_view by, args.Next("BY"));
      ASSIGN_OR_RETURN(size_t column, ReducerColumn(by));
      spec.by_column = column;
      spec.by_ascending = !args.Take("DESC");
      if (spec.by_ascending) args.Take("ASC");
    }
    return OkStatus();
  }

  // When nothing but LOAD and APPLY comes before a LIMIT, no more documents than it shows have to be found.
  void SetRowsThatAreNeeded() {
    plan_.search.offset = 0;
    plan_.search.limit = SIZE_MAX;
    for (const AggregateStep& step : plan_.steps) {
      if (const auto* limit = std::get_if<LimitStep>(&step)) plan_.search.limit = limit->offset + limit->count;
      if (!std::holds_alternative<LoadStep>(step) && !std::holds_alternative<ApplyStep>(step)) return;
    }
  }

  const AggregateWords& words_;
  AggregatePlan& plan_;
  AggregateColumns columns_;
};

}  // namespace

Result<AggregatePlan> PlanAggregate(std::span<const std::string_view> args, const IndexDefinition& definition,
                                    const AggregateDefaults& defaults) {
  ASSIGN_OR_RETURN(AggregateWords words, ReadAggregateWords(args, defaults));
  AggregatePlan plan;
  ASSIGN_OR_RETURN(plan.search.query, ParseQuery(words.query, words.params, words.dialect, definition, words.text));
  plan.search.timeout_ms = words.timeout_ms;
  plan.search.no_content = true;
  plan.cursor = words.cursor;
  RETURN_IF_ERROR(Planner(words, definition, plan).Plan());
  plan.search.with_keys = plan.needs_keys;
  return plan;
}

}  // namespace redoubt::search
