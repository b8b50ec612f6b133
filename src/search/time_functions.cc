#include <array>
#include <cmath>
#include <ctime>
#include <optional>
#include <string>

#include "search/args.h"
#include "search/expression_functions.h"

namespace redoubt::search {
namespace {

using Arguments = std::span<const Value>;

constexpr double kLatest = 1e13;  // beyond it a year does not fit into the calendar of the C library
constexpr size_t kMaxFormat = 256;

std::optional<std::time_t> TimeOf(const Value& value) {
  std::optional<double> seconds = value.ToNumber();
  if (!seconds || !(std::abs(*seconds) < kLatest)) return std::nullopt;
  return static_cast<std::time_t>(std::floor(*seconds));
}

std::optional<std::tm> CalendarOf(const Value& value) {
  std::optional<std::time_t> time = TimeOf(value);
  std::tm calendar;
  if (!time || gmtime_r(&*time, &calendar) == nullptr) return std::nullopt;
  return calendar;
}

// The format in the second argument, if there is one. Widths (%99999d) and what is no text are refused.
std::optional<std::string> FormatOf(Arguments arguments, std::string_view otherwise) {
  std::string format(otherwise);
  if (arguments.size() > 1) {
    if (arguments[1].text() == nullptr || arguments[1].text()->size() > kMaxFormat) return std::nullopt;
    format = *arguments[1].text();
  }
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    ++i;
    bool letter = i < format.size() && (format[i] == '%' || ((format[i] | 32) >= 'a' && (format[i] | 32) <= 'z'));
    if (!letter) return std::nullopt;
  }
  return format;
}

Result<Value> TimeFmt(Arguments arguments) {
  std::optional<std::tm> calendar = CalendarOf(arguments[0]);
  std::optional<std::string> format = FormatOf(arguments, "%FT%TZ");
  if (!calendar || !format) return Value::Null();
  std::array<char, 4096> text;
  size_t size = std::strftime(text.data(), text.size(), format->c_str(), &*calendar);
  return size == 0 ? Value::Null() : Value(std::string(text.data(), size));
}

Result<Value> ParseTime(Arguments arguments) {
  std::optional<std::string> format = FormatOf(arguments, "%FT%TZ");
  if (!format || arguments[0].text() == nullptr) return Value::Null();
  std::tm calendar = {};
  calendar.tm_mday = 1;
  if (strptime(arguments[0].text()->c_str(), format->c_str(), &calendar) == nullptr) return Value::Null();
  return Value(static_cast<double>(timegm(&calendar)));
}

// A number of the calendar, from zero where C counts so.
template <int std::tm::*kPart, int kOffset>
Result<Value> Part(Arguments arguments) {
  std::optional<std::tm> calendar = CalendarOf(arguments[0]);
  return calendar ? Value(static_cast<double>((*calendar).*kPart + kOffset)) : Value::Null();
}

// Rounded down to a multiple.
template <int kSeconds>
Result<Value> RoundDown(Arguments arguments) {
  std::optional<std::time_t> time = TimeOf(arguments[0]);
  if (!time) return Value::Null();
  std::time_t rest = *time % kSeconds;
  return Value(static_cast<double>(*time - (rest < 0 ? rest + kSeconds : rest)));
}

Result<Value> Month(Arguments arguments) {
  std::optional<std::tm> calendar = CalendarOf(arguments[0]);
  if (!calendar) return Value::Null();
  std::tm first = {};
  first.tm_year = calendar->tm_year;
  first.tm_mon = calendar->tm_mon;
  first.tm_mday = 1;
  return Value(static_cast<double>(timegm(&first)));
}

constexpr std::array kFunctions = {
    ExpressionFunction{"timefmt", 1, 2, &TimeFmt},
    ExpressionFunction{"parsetime", 1, 2, &ParseTime},
    ExpressionFunction{"parse_time", 1, 2, &ParseTime},
    ExpressionFunction{"year", 1, 1, &Part<&std::tm::tm_year, 1900>},
    ExpressionFunction{"month", 1, 1, &Month},
    ExpressionFunction{"day", 1, 1, &RoundDown<86400>},
    ExpressionFunction{"hour", 1, 1, &RoundDown<3600>},
    ExpressionFunction{"minute", 1, 1, &RoundDown<60>},
    ExpressionFunction{"monthofyear", 1, 1, &Part<&std::tm::tm_mon, 0>},
    ExpressionFunction{"dayofweek", 1, 1, &Part<&std::tm::tm_wday, 0>},
    ExpressionFunction{"dayofmonth", 1, 1, &Part<&std::tm::tm_mday, 0>},
    ExpressionFunction{"dayofyear", 1, 1, &Part<&std::tm::tm_yday, 0>},
};

}  // namespace

std::span<const ExpressionFunction> TimeFunctions() { return kFunctions; }

}  // namespace redoubt::search
