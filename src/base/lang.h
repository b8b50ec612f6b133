#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace redoubt::base {

// The two languages in which everything a person reads is written, as equals.
enum class Lang { kKo, kEn };

// "ko" or "en", also with a region ("ko-KR"); nothing for another language.
std::optional<Lang> ParseLang(std::string_view tag);
std::string_view LangTag(Lang lang);

// The best of the two for an Accept-Language header, with its q values; nothing when it names neither.
std::optional<Lang> NegotiateLang(std::string_view accept_language);

// One sentence in both languages.
struct LocalText {
  std::string ko;
  std::string en;

  const std::string& In(Lang lang) const { return lang == Lang::kKo ? ko : en; }
  friend bool operator==(const LocalText&, const LocalText&) = default;
};

}  // namespace redoubt::base
