#include "search/query_scanner.h"

#include <fmt/core.h>

#include <algorithm>

#include "search/args.h"

namespace redoubt::search {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

void QueryScanner::SkipSpace() {
  while (!done() && IsSpace(text_[at_])) ++at_;
}

bool QueryScanner::Take(std::string_view token) {
  SkipSpace();
  if (!text_.substr(at_).starts_with(token)) return false;
  at_ += token.size();
  return true;
}

bool QueryScanner::TakeWord(std::string_view word) {
  SkipSpace();
  std::string_view rest = text_.substr(at_);
  if (rest.size() < word.size() || !EqualsIgnoringCase(rest.substr(0, word.size()), word)) return false;
  if (rest.size() > word.size() && IsNameChar(rest[word.size()])) return false;
  at_ += word.size();
  return true;
}

base::Status QueryScanner::Expect(std::string_view token) { return Take(token) ? base::OkStatus() : SyntaxError(); }

std::string QueryScanner::Name() {
  std::string name;
  while (!done()) {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
      ++at_;
    } else if (!IsNameChar(text_[at_])) {
      break;
    }
    name += text_[at_++];
  }
  return name;
}

std::string_view QueryScanner::Bare() {
  SkipSpace();
  size_t begin = at_;
  while (!done() && !IsSpace(text_[at_]) && std::string_view("]}):;|").find(text_[at_]) == std::string_view::npos)
    ++at_;
  return text_.substr(begin, at_ - begin);
}

base::Result<std::string_view> QueryScanner::Value() {
  SkipSpace();
  size_t begin = at_;
  std::string_view bare = Bare();
  if (bare.empty()) return SyntaxErrorAt(begin);
  if (bare[0] != '$') return bare;
  return Param(bare.substr(1));
}

base::Result<std::string_view> QueryScanner::Param(std::string_view name) const {
  auto found = std::find_if(params_.begin(), params_.end(), [&](const auto& param) { return param.first == name; });
  if (found != params_.end()) return found->second;
  return base::NotFound(fmt::format("No such parameter `{}`", name));
}

base::Status QueryScanner::SyntaxErrorAt(size_t offset) const {
  size_t end = std::min(offset + 1, text_.size());
  while (end < text_.size() && IsNameChar(text_[end]) && IsNameChar(text_[offset]) && end - offset < 32) ++end;
  return ErrorAt("Syntax error", offset, text_.substr(offset, end - offset));
}

base::Status QueryScanner::ErrorAt(std::string_view what, size_t offset, std::string_view near) const {
  return base::InvalidArgument(fmt::format("{} at offset {} near {}", what, offset, near));
}

}  // namespace redoubt::search
