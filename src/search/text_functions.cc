#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "search/args.h"
#include "search/expression_functions.h"

namespace redoubt::search {
namespace {

using base::InvalidArgument;
using Arguments = std::span<const Value>;

constexpr size_t kAnyNumber = 64;

Result<std::string_view> TextOf(Arguments arguments, size_t i, std::string_view function) {
  if (arguments[i].text() != nullptr) return std::string_view(*arguments[i].text());
  return InvalidArgument(fmt::format("Invalid type for argument {} in function '{}': text is expected", i, function));
}

Result<int64_t> WholeOf(Arguments arguments, size_t i, std::string_view function) {
  constexpr double kLargest = 1e15;
  if (std::optional<double> number = arguments[i].ToNumber(); number && std::abs(*number) < kLargest) {
    return static_cast<int64_t>(*number);
  }
  return InvalidArgument(
      fmt::format("Invalid type for argument {} in function '{}': a number is expected", i, function));
}

// ASCII letters only: other bytes may be parts of characters.
template <char kFirst, char kLast, char kTarget>
Result<Value> Fold(Arguments arguments) {
  if (arguments[0].text() == nullptr) return Value::Null();
  std::string text = *arguments[0].text();
  for (char& c : text) {
    if (c >= kFirst && c <= kLast) c = static_cast<char>(c - kFirst + kTarget);
  }
  return Value(std::move(text));
}

Result<Value> StartsWith(Arguments arguments) {
  ASSIGN_OR_RETURN(std::string_view text, TextOf(arguments, 0, "startswith"));
  ASSIGN_OR_RETURN(std::string_view prefix, TextOf(arguments, 1, "startswith"));
  return Value(text.starts_with(prefix) ? 1.0 : 0.0);
}

// How often it occurs; nothing occurs before and after every byte.
Result<Value> Contains(Arguments arguments) {
  ASSIGN_OR_RETURN(std::string_view text, TextOf(arguments, 0, "contains"));
  ASSIGN_OR_RETURN(std::string_view part, TextOf(arguments, 1, "contains"));
  if (part.empty()) return Value(static_cast<double>(text.size() + 1));
  double count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return Value(count);
}

Result<Value> StrLen(Arguments arguments) {
  ASSIGN_OR_RETURN(std::string_view text, TextOf(arguments, 0, "strlen"));
  return Value(static_cast<double>(text.size()));
}

// A negative offset counts from the end; a negative length leaves out so many bytes at the end.
Result<Value> SubStr(Arguments arguments) {
  ASSIGN_OR_RETURN(std::string_view text, TextOf(arguments, 0, "substr"));
  ASSIGN_OR_RETURN(int64_t offset, WholeOf(arguments, 1, "substr"));
  ASSIGN_OR_RETURN(int64_t length, WholeOf(arguments, 2, "substr"));
  const int64_t size = static_cast<int64_t>(text.size());
  if (offset < 0) offset = std::max<int64_t>(0, size + offset);
  offset = std::min(offset, size);
  if (length < 0) length = std::max<int64_t>(0, size - offset + length);
  return Value(std::string(text.substr(static_cast<size_t>(offset), static_cast<size_t>(length))));
}

Result<Value> Format(Arguments arguments) {
  ASSIGN_OR_RETURN(std::string_view format, TextOf(arguments, 0, "format"));
  constexpr size_t kMostBytes = 1 << 20;  // each step could otherwise make a text many times as long as the last
  std::string text;
  size_t next = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    if (text.size() > kMostBytes) return base::ResourceExhausted("format makes a text of more than 1 MiB");
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    ++i;
    if (i == format.size()) return InvalidArgument("Bad format string: nothing stands after its last %");
    if (format[i] == '%') {
      text += '%';
    } else if (format[i] != 's') {
      return InvalidArgument("Unknown format specifier passed: %s and %% are known");
    } else if (next == arguments.size()) {
      return InvalidArgument("Not enough arguments for format");
    } else {
      text += arguments[next++].ToText();
    }
  }
  return Value(std::move(text));
}

std::string_view Strip(std::string_view text, std::string_view characters) {
  size_t begin = text.find_first_not_of(characters);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(characters) - begin + 1);
}

// split(text, separators = ",", stripped characters = " "); parts that are empty then are left out.
Result<Value> Split(Arguments arguments) {
  ASSIGN_OR_RETURN(std::string_view text, TextOf(arguments, 0, "split"));
  std::string_view separators = ",";
  std::string_view stripped = " ";
  if (arguments.size() > 1) {
    ASSIGN_OR_RETURN(separators, TextOf(arguments, 1, "split"));
  }
  if (arguments.size() > 2) {
    ASSIGN_OR_RETURN(stripped, TextOf(arguments, 2, "split"));
  }
  Values parts;
  while (true) {
    size_t end = text.find_first_of(separators);
    if (std::string_view part = Strip(text.substr(0, end), stripped); !part.empty()) {
      parts.emplace_back(std::string(part));
    }
    if (end == std::string_view::npos) return Value(std::move(parts));
    text.remove_prefix(end + 1);
  }
}

Result<Value> ToStr(Arguments arguments) { return Value(arguments[0].ToText()); }

Result<Value> ToNumberFunction(Arguments arguments) {
  if (std::optional<double> number = arguments[0].ToNumber()) return Value(*number);
  return InvalidArgument(fmt::format("to_number: cannot convert string '{}'", arguments[0].ToText().substr(0, 64)));
}

constexpr std::array kFunctions = {
    ExpressionFunction{"upper", 1, 1, &Fold<'a', 'z', 'A'>},
    ExpressionFunction{"lower", 1, 1, &Fold<'A', 'Z', 'a'>},
    ExpressionFunction{"startswith", 2, 2, &StartsWith},
    ExpressionFunction{"contains", 2, 2, &Contains},
    ExpressionFunction{"strlen", 1, 1, &StrLen},
    ExpressionFunction{"substr", 3, 3, &SubStr},
    ExpressionFunction{"format", 1, kAnyNumber, &Format},
    ExpressionFunction{"split", 1, 3, &Split},
    ExpressionFunction{"to_str", 1, 1, &ToStr},
    ExpressionFunction{"to_number", 1, 1, &ToNumberFunction},
};

}  // namespace

std::span<const ExpressionFunction> TextFunctions() { return kFunctions; }

}  // namespace redoubt::search
