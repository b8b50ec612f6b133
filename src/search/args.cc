#include "search/args.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>

namespace redoubt::search {
namespace {

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Upper(a[i]) != Upper(b[i])) return false;
  }
  return true;
}

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = Upper(c);
  return upper;
}

std::optional<double> ParseDouble(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('+') || text.empty()) return std::nullopt;
  double value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(value)) return std::nullopt;
  return value;
}

std::optional<size_t> ParseSize(std::string_view text) {
  size_t value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool ArgCursor::Take(std::string_view keyword) {
  if (done() || !EqualsIgnoringCase(Peek(), keyword)) return false;
  ++at_;
  return true;
}

Result<std::string_view> ArgCursor::Next(std::string_view option) {
  if (done()) {
    return base::InvalidArgument(fmt::format("Bad arguments for {}: Expected an argument, but none provided", option));
  }
  return args_[at_++];
}

Result<size_t> ArgCursor::NextSize(std::string_view option) {
  ASSIGN_OR_RETURN(std::string_view text, Next(option));
  if (std::optional<size_t> value = ParseSize(text)) return *value;
  return base::InvalidArgument(
      fmt::format("Bad arguments for {}: Could not convert argument to expected type", option));
}

Result<double> ArgCursor::NextDouble(std::string_view option) {
  ASSIGN_OR_RETURN(std::string_view text, Next(option));
  if (std::optional<double> value = ParseDouble(text)) return *value;
  return base::InvalidArgument(
      fmt::format("Bad arguments for {}: Could not convert argument to expected type", option));
}

Result<std::span<const std::string_view>> ArgCursor::NextList(std::string_view option) {
  ASSIGN_OR_RETURN(size_t count, NextSize(option));
  if (count > remaining()) {
    return base::InvalidArgument(fmt::format("Bad arguments for {}: Expected an argument, but none provided", option));
  }
  at_ += count;
  return args_.subspan(at_ - count, count);
}

}  // namespace redoubt::search
