#include "search/aggregate_words.h"

#include <fmt/core.h>

#include <utility>

#include "search/create_text.h"
#include "search/query_options.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using base::OkStatus;

constexpr size_t kMaxSteps = 1024;

class Reader {
 public:
  Reader(std::span<const std::string_view> args, const AggregateDefaults& defaults) : args_(args), defaults_(defaults) {
    words_.dialect = defaults.dialect;
    words_.timeout_ms = defaults.timeout_ms;
    words_.text.parts = defaults.parts;
  }

  Result<AggregateWords> Read() {
    if (args_.done()) return InvalidArgument("No query string provided");
    ASSIGN_OR_RETURN(words_.query, args_.Next("query"));
    while (!args_.done()) {
      RETURN_IF_ERROR(ReadOne());
      if (words_.steps.size() > kMaxSteps) return InvalidArgument(fmt::format("More than {} steps", kMaxSteps));
    }
    return std::move(words_);
  }

 private:
  Status ReadOne() {
    if (args_.Take("LOAD")) return ReadLoad();
    if (args_.Take("GROUPBY")) return ReadGroupBy();
    if (args_.Take("SORTBY")) return ReadSortBy();
    if (args_.Take("APPLY")) return ReadApply();
    if (args_.Take("FILTER")) return ReadFilter();
    if (args_.Take("LIMIT")) return ReadLimit();
    if (args_.Take("WITHCURSOR")) return ReadCursor();
    if (args_.Take("PARAMS")) return ParseParams(args_, words_.params);
    if (args_.Take("DIALECT")) return ParseDialect(args_, words_.dialect);
    if (args_.Take("TIMEOUT")) return ParseTimeout(args_, words_.timeout_ms);
    return ReadTextOption();
  }

  // They change how words are looked up or scored.
  Status ReadTextOption() {
    bool* const flags[] = {&words_.text.verbatim, &words_.text.no_stop_words, &words_.text.in_order,
                           &words_.add_scores};
    const std::string_view names[] = {"VERBATIM", "NOSTOPWORDS", "INORDER", "ADDSCORES"};
    for (size_t i = 0; i < std::size(names); ++i) {
      if (args_.Take(names[i])) return *flags[i] = true, OkStatus();
    }
    if (args_.Take("LANGUAGE")) {
      ASSIGN_OR_RETURN(words_.text.language, ParseLanguage(args_));
      return OkStatus();
    }
    for (std::string_view option : {"SCORER", "SLOP"}) {
      if (args_.Take(option)) return args_.Next(option).status();
    }
    for (std::string_view option : {"RETURN", "SUMMARIZE", "HIGHLIGHT", "WITHSCORES"}) {
      if (args_.Take(option)) return InvalidArgument(fmt::format("{} is not supported on FT.AGGREGATE", option));
    }
    return InvalidArgument(
        fmt::format("Unknown argument `{}` at position {} for <main>", args_.Peek(), args_.position()));
  }

  StepWords& Add(StepWords::Kind kind) {
    StepWords& step = words_.steps.emplace_back();
    step.kind = kind;
    return step;
  }

  Status ReadLoad() {
    StepWords& step = Add(StepWords::Kind::kLoad);
    step.everything = args_.Take("*");
    if (step.everything) return OkStatus();
    ASSIGN_OR_RETURN(step.words, args_.NextList("LOAD"));
    return OkStatus();
  }

  Status ReadGroupBy() {
    StepWords& step = Add(StepWords::Kind::kGroup);
    ASSIGN_OR_RETURN(step.words, args_.NextList("GROUPBY"));
    while (args_.Take("REDUCE")) {
      ReducerWords& reducer = step.reducers.emplace_back();
      ASSIGN_OR_RETURN(reducer.name, args_.Next("REDUCE"));
      ASSIGN_OR_RETURN(reducer.words, args_.NextList(reducer.name));
      if (!args_.Take("AS")) continue;
      ASSIGN_OR_RETURN(reducer.alias, args_.Next("AS"));
    }
    return OkStatus();
  }

  Status ReadSortBy() {
    StepWords step;
    step.kind = StepWords::Kind::kSort;
    ASSIGN_OR_RETURN(step.words, args_.NextList("SORTBY"));
    if (args_.Take("MAX")) {
      ASSIGN_OR_RETURN(step.count, args_.NextSize("MAX"));
    }
    // `LIMIT 0 5 SORTBY ..` means the first five in order, as `SORTBY .. LIMIT 0 5` does.
    std::vector<StepWords>& steps = words_.steps;
    bool after_limit = !steps.empty() && steps.back().kind == StepWords::Kind::kLimit;
    steps.insert(after_limit ? steps.end() - 1 : steps.end(), std::move(step));
    return OkStatus();
  }

  Status ReadApply() {
    StepWords& step = Add(StepWords::Kind::kApply);
    ASSIGN_OR_RETURN(step.expression, args_.Next("APPLY/FILTER"));
    if (args_.Take("AS")) {
      if (args_.done()) return InvalidArgument("AS needs argument");
      ASSIGN_OR_RETURN(step.alias, args_.Next("AS"));
    } else {
      step.alias = step.expression;
    }
    return OkStatus();
  }

  Status ReadFilter() {
    StepWords& step = Add(StepWords::Kind::kFilter);
    ASSIGN_OR_RETURN(step.expression, args_.Next("APPLY/FILTER"));
    return OkStatus();
  }

  Status ReadLimit() {
    if (args_.remaining() < 2) return InvalidArgument("LIMIT requires two arguments");
    StepWords& step = Add(StepWords::Kind::kLimit);
    Result<size_t> offset = args_.NextSize("LIMIT");
    Result<size_t> count = args_.NextSize("LIMIT");
    if (!offset.ok() || !count.ok()) return InvalidArgument("LIMIT needs two numeric arguments");
    // Their sum must not overflow.
    step.offset = std::min(*offset, SIZE_MAX / 4);
    step.count = std::min(*count, SIZE_MAX / 4);
    if (step.count > defaults_.max_rows) step.count = defaults_.max_rows;
    return OkStatus();
  }

  Status ReadCursor() {
    CursorOptions& cursor = words_.cursor.emplace();
    while (!args_.done()) {
      if (args_.Take("COUNT")) {
        ASSIGN_OR_RETURN(cursor.count, ReadPositive("COUNT"));
      } else if (args_.Take("MAXIDLE")) {
        ASSIGN_OR_RETURN(size_t idle, ReadPositive("MAXIDLE"));
        cursor.max_idle_ms = static_cast<int64_t>(idle);
      } else {
        break;
      }
    }
    return OkStatus();
  }

  Result<size_t> ReadPositive(std::string_view option) {
    ASSIGN_OR_RETURN(size_t value, args_.NextSize(option));
    if (value > 0 && value <= (size_t{1} << 40)) return value;
    return InvalidArgument(fmt::format("Bad arguments for {}: Value is outside acceptable bounds", option));
  }

  ArgCursor args_;
  const AggregateDefaults& defaults_;
  AggregateWords words_;
};

}  // namespace

Result<AggregateWords> ReadAggregateWords(std::span<const std::string_view> args, const AggregateDefaults& defaults) {
  return Reader(args, defaults).Read();
}

}  // namespace redoubt::search
