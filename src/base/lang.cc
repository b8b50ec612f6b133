#include "base/lang.h"

#include <cctype>
#include <cstdlib>

namespace redoubt::base {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

double Quality(std::string_view parameters) {
  size_t at = parameters.find("q=");
  if (at == std::string_view::npos) return 1.0;
  return std::strtod(std::string(parameters.substr(at + 2)).c_str(), nullptr);
}

}  // namespace

std::optional<Lang> ParseLang(std::string_view tag) {
  tag = Trim(tag);
  if (tag.size() < 2 || (tag.size() > 2 && tag[2] != '-' && tag[2] != '_')) return std::nullopt;
  char first = static_cast<char>(std::tolower(static_cast<unsigned char>(tag[0])));
  char second = static_cast<char>(std::tolower(static_cast<unsigned char>(tag[1])));
  if (first == 'k' && second == 'o') return Lang::kKo;
  if (first == 'e' && second == 'n') return Lang::kEn;
  return std::nullopt;
}

std::string_view LangTag(Lang lang) { return lang == Lang::kKo ? "ko" : "en"; }

std::optional<Lang> NegotiateLang(std::string_view accept_language) {
  std::optional<Lang> best;
  double best_quality = 0;
  while (!accept_language.empty()) {
    size_t comma = accept_language.find(',');
    std::string_view item = accept_language.substr(0, comma);
    accept_language.remove_prefix(comma == std::string_view::npos ? accept_language.size() : comma + 1);
    size_t semicolon = item.find(';');
    double quality = semicolon == std::string_view::npos ? 1.0 : Quality(item.substr(semicolon));
    std::optional<Lang> lang = ParseLang(item.substr(0, semicolon));
    if (lang && quality > best_quality) {
      best = lang;
      best_quality = quality;
    }
  }
  return best;
}

}  // namespace redoubt::base
