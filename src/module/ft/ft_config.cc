#include <fmt/core.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "module/ft/ft_module.h"

namespace redoubt::ft {
namespace {

using base::InvalidArgument;

struct Option {
  std::string_view name;
  std::string_view help;
  std::function<std::string(const Settings&)> get;
  // Empty: cannot be changed while the server runs.
  std::function<base::Status(Settings&, std::string_view)> set;
};

base::Result<int64_t> ParseCount(std::string_view text) {
  std::optional<size_t> value = search::ParseSize(text);
  if (!value || *value > (size_t{1} << 40)) return InvalidArgument("Could not convert argument to expected type");
  return static_cast<int64_t>(*value);
}

std::function<base::Status(Settings&, std::string_view)> SetCount(int64_t Settings::*member) {
  return [member](Settings& settings, std::string_view text) -> base::Status {
    ASSIGN_OR_RETURN(settings.*member, ParseCount(text));
    return base::OkStatus();
  };
}

std::function<base::Status(Settings&, std::string_view)> SetPositive(int64_t Settings::*member) {
  return [member](Settings& settings, std::string_view text) -> base::Status {
    ASSIGN_OR_RETURN(int64_t value, ParseCount(text));
    if (value < 1) return InvalidArgument("Value is outside acceptable bounds");
    settings.*member = value;
    return base::OkStatus();
  };
}

// -1 or "unlimited" for no limit.
base::Status SetAggregateResults(Settings& settings, std::string_view text) {
  if (text == "-1" || search::EqualsIgnoringCase(text, "unlimited")) {
    settings.max_aggregate_results = -1;
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(settings.max_aggregate_results, ParseCount(text));
  return base::OkStatus();
}

base::Status SetDialect(Settings& settings, std::string_view text) {
  ASSIGN_OR_RETURN(int64_t dialect, ParseCount(text));
  if (dialect > 4) return InvalidArgument("Default dialect version cannot be higher than 4");
  if (dialect < 1) return InvalidArgument("Value is outside acceptable bounds");
  settings.default_dialect = static_cast<int>(dialect);
  return base::OkStatus();
}

base::Status SetOnTimeout(Settings& settings, std::string_view text) {
  const bool fails = search::EqualsIgnoringCase(text, "fail");
  if (!fails && !search::EqualsIgnoringCase(text, "return")) return InvalidArgument("Invalid ON_TIMEOUT value");
  settings.fail_on_timeout = fails;
  return base::OkStatus();
}

const std::vector<Option>& Options() {
  static const auto* options = new std::vector<Option>{
      {"TIMEOUT", "Query (search) timeout in milliseconds, 0 for none",
       [](const Settings& s) { return std::to_string(s.timeout_ms); }, SetCount(&Settings::timeout_ms)},
      {"ON_TIMEOUT", "What a query answers when its time is over: return (what was found so far) or fail",
       [](const Settings& s) { return std::string(s.fail_on_timeout ? "fail" : "return"); }, &SetOnTimeout},
      {"DEFAULT_DIALECT", "Dialect of queries that name none, 1 to 4",
       [](const Settings& s) { return std::to_string(s.default_dialect); }, &SetDialect},
      {"MAXSEARCHRESULTS", "Largest offset and count of LIMIT in FT.SEARCH",
       [](const Settings& s) { return std::to_string(s.max_search_results); }, SetCount(&Settings::max_search_results)},
      {"MAXAGGREGATERESULTS", "Largest count of LIMIT in FT.AGGREGATE; -1: no limit",
       [](const Settings& s) {
         return s.max_aggregate_results < 0 ? std::string("unlimited") : std::to_string(s.max_aggregate_results);
       },
       &SetAggregateResults},
      {"MINPREFIX", "Letters that a part of a word, as in wor*, has at least",
       [](const Settings& s) { return std::to_string(s.min_prefix); }, SetPositive(&Settings::min_prefix)},
      {"MAXEXPANSIONS", "Words that a part of a word, as in wor*, stands for at most",
       [](const Settings& s) { return std::to_string(s.max_expansions); }, SetPositive(&Settings::max_expansions)},
      {"CURSOR_MAX_IDLE", "Milliseconds after which a cursor that nobody reads is dropped",
       [](const Settings& s) { return std::to_string(s.cursor_max_idle_ms); }, SetCount(&Settings::cursor_max_idle_ms)},
      {"CURSOR_MAX_BYTES", "Bytes that the rows of all open cursors take together at most",
       [](const Settings& s) { return std::to_string(s.cursor_max_bytes); }, SetCount(&Settings::cursor_max_bytes)},
  };
  return *options;
}

void ReplyPairStart(host::Context& ctx, const Option& option) {
  if (!ctx.Resp3()) return;
  ctx.ReplyBulk(option.name);
}

void ReplyValue(host::Context& ctx, const Option& option, const Settings& settings) {
  if (!ctx.Resp3()) {
    ctx.ReplyArray(2);
    ctx.ReplyBulk(option.name);
  }
  ctx.ReplyBulk(option.get(settings));
}

void ReplyHelp(host::Context& ctx, const Option& option, const Settings& settings) {
  if (!ctx.Resp3()) {
    ctx.ReplyArray(5);
    ctx.ReplyBulk(option.name);
  } else {
    ctx.ReplyMap(2);
  }
  ctx.ReplyBulk("Description");
  ctx.ReplyBulk(option.help);
  ctx.ReplyBulk("Value");
  ctx.ReplyBulk(option.get(settings));
}

void Show(host::Context& ctx, std::string_view name, const Settings& settings, decltype(&ReplyValue) reply) {
  std::vector<const Option*> shown;
  for (const Option& option : Options()) {
    if (name == "*" || search::EqualsIgnoringCase(option.name, name)) shown.push_back(&option);
  }
  ctx.Resp3() ? ctx.ReplyMap(shown.size()) : ctx.ReplyArray(shown.size());
  for (const Option* option : shown) {
    ReplyPairStart(ctx, *option);
    reply(ctx, *option, settings);
  }
}

base::Status Set(Settings& settings, std::string_view name, std::string_view value) {
  for (const Option& option : Options()) {
    if (search::EqualsIgnoringCase(option.name, name)) return option.set(settings, value);
  }
  return InvalidArgument("Invalid option");
}

}  // namespace

// FT.CONFIG GET name|* | HELP name|* | SET name value
base::Status FtConfig(FtModule& ft, host::Context& ctx, host::Args args) {
  if (args.size() < 3 || (args.Is(1, "SET") && args.size() != 4)) {
    ctx.ReplyWrongArity(args);
    return base::OkStatus();
  }
  if (args.Is(1, "SET")) {
    if (base::Status set = Set(ft.settings(), args[2], args[3]); !set.ok()) return ReplyFtError(ctx, set);
    ctx.ReplyOk();
  } else if (args.Is(1, "GET")) {
    Show(ctx, args[2], ft.settings(), &ReplyValue);
  } else if (args.Is(1, "HELP")) {
    Show(ctx, args[2], ft.settings(), &ReplyHelp);
  } else {
    return ReplyFtError(ctx, InvalidArgument("No such configuration action"));
  }
  return base::OkStatus();
}

search::SearchDefaults SearchDefaultsOf(const Settings& settings) {
  search::SearchDefaults defaults;
  defaults.timeout_ms = settings.timeout_ms;
  defaults.dialect = settings.default_dialect;
  defaults.max_results = static_cast<size_t>(settings.max_search_results);
  defaults.parts = settings.parts();
  return defaults;
}

}  // namespace redoubt::ft
