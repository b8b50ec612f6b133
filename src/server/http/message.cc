#include "server/http/message.h"

#include "base/json.h"

namespace redoubt::http {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Request::Header(const std::string& lower_name) const {
  auto found = headers.find(lower_name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::string> Request::Query(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::optional<std::string> Request::Cookie(std::string_view name) const {
  std::string_view rest = Header("cookie");
  while (!rest.empty()) {
    size_t end = rest.find(';');
    std::string_view item = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    size_t equals = item.find('=');
    if (equals != std::string_view::npos && item.substr(0, equals) == name) return std::string(item.substr(equals + 1));
  }
  return std::nullopt;
}

base::Lang Request::lang() const {
  if (auto asked = Query("lang")) {
    if (auto lang = base::ParseLang(*asked)) return *lang;
  }
  return base::NegotiateLang(Header("accept-language")).value_or(base::Lang::kKo);
}

Response& Response::Set(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

Response TextResponse(int status, std::string content_type, std::string body) {
  Response response;
  response.status = status;
  response.Set("Content-Type", std::move(content_type));
  response.body = std::move(body);
  return response;
}

Response JsonResponse(int status, std::string json) {
  return TextResponse(status, "application/json", std::move(json));
}

Response ErrorResponse(base::Lang lang, int status, std::string_view code, const base::LocalText& message,
                       const base::LocalText& hint) {
  base::Json error = {{"code", code}, {"message", message.In(lang)}, {"hint", hint.In(lang)}};
  Response response = JsonResponse(status, base::DumpJson(base::Json{{"error", std::move(error)}}));
  response.Set("Content-Language", std::string(base::LangTag(lang)));
  return response;
}

std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      int high = HexDigit(text[i + 1]);
      int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    decoded += c;
  }
  return decoded;
}

std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    size_t end = query.find('&');
    std::string_view item = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (item.empty()) continue;
    size_t equals = item.find('=');
    auto name = PercentDecode(item.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::string() : PercentDecode(item.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

}  // namespace redoubt::http
