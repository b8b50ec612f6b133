#include "server/api/fields.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace redoubt::api {
namespace {

constexpr base::JsonLimits kBodyLimits{.max_bytes = size_t{64} << 20, .max_depth = 32};

std::string Joined(std::initializer_list<std::string_view> words) {
  std::string text;
  for (std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

// "1795000000000" or "2026-11-22T03:00:00.000Z"; nothing for anything else.
std::optional<int64_t> ParseTime(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr int64_t kLatest = 253'402'300'799'999;  // the end of the year 9999
  if (error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= kLatest) return value;
  int year, month, day, hour, minute, used = 0;
  double second;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf%n", &year, &month, &day, &hour, &minute, &second, &used) !=
      6) {
    return std::nullopt;
  }
  std::string zone = text.substr(static_cast<size_t>(used));
  int offset_minutes = 0;
  int zone_hour, zone_minute;
  char sign;
  if (std::sscanf(zone.c_str(), "%c%2d:%2d", &sign, &zone_hour, &zone_minute) == 3 && (sign == '+' || sign == '-')) {
    offset_minutes = (zone_hour * 60 + zone_minute) * (sign == '-' ? -1 : 1);
  } else if (zone != "Z" && zone != "z") {
    return std::nullopt;
  }
  std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || !(second >= 0 && second < 61)) return std::nullopt;
  int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute - offset_minutes) * 60'000 + static_cast<int64_t>(second * 1000);
}

}  // namespace

void Fields::Fail(base::LocalText message, base::LocalText hint) {
  if (fault_) return;
  fault_ = http::ErrorResponse(request_.lang(), 400, "invalid_argument", message, hint);
}

void Fields::FailField(const std::string& name, std::string_view korean, std::string_view english) {
  Fail({fmt::format("'{}' 필드는 {}", name, korean), fmt::format("Field '{}' {}", name, english)});
}

std::optional<http::Response> Fields::Fault() const { return fault_; }

std::optional<std::string> Fields::Text(const std::string& name, size_t max_bytes, bool required) {
  std::optional<std::string> text = RawText(name);
  if (required && (!text || text->empty())) FailField(name, "반드시 있어야 합니다.", "is required.");
  if (text && text->size() > max_bytes) {
    FailField(name, fmt::format("{}바이트를 넘을 수 없습니다.", max_bytes),
              fmt::format("must not exceed {} bytes.", max_bytes));
  }
  return text;
}

std::optional<std::string> Fields::Choice(const std::string& name, std::initializer_list<std::string_view> choices) {
  std::optional<std::string> text = RawText(name);
  if (!text) return text;
  for (std::string_view choice : choices) {
    if (*text == choice) return text;
  }
  FailField(name, fmt::format("다음 중 하나여야 합니다: {}", Joined(choices)),
            fmt::format("must be one of: {}", Joined(choices)));
  return text;
}

std::optional<int64_t> Fields::Int(const std::string& name, int64_t min, int64_t max, bool required) {
  std::optional<double> value = RawNumber(name, true);
  if (!value) {
    if (required) FailField(name, "반드시 있어야 합니다.", "is required.");
    return std::nullopt;
  }
  if (*value < static_cast<double>(min) || *value > static_cast<double>(max)) {
    FailField(name, fmt::format("{}~{} 사이의 정수여야 합니다.", min, max),
              fmt::format("must be a whole number from {} to {}.", min, max));
    return min;
  }
  return static_cast<int64_t>(*value);
}

std::optional<double> Fields::Number(const std::string& name, double min, double max) {
  std::optional<double> value = RawNumber(name, false);
  if (value && !(*value >= min && *value <= max)) {
    FailField(name, fmt::format("{}~{} 사이의 수여야 합니다.", min, max),
              fmt::format("must be a number from {} to {}.", min, max));
    return min;
  }
  return value;
}

std::optional<int64_t> Fields::Time(const std::string& name) {
  std::optional<std::string> text = Text(name, 40);
  if (!text || text->empty()) return std::nullopt;
  std::optional<int64_t> time = ParseTime(*text);
  if (!time) {
    Fail({fmt::format("'{}' 값은 RFC 3339 시각 또는 1970년부터의 밀리초여야 합니다.", name),
          fmt::format("'{}' must be an RFC 3339 time or milliseconds since 1970.", name)});
  }
  return time;
}

Body::Body(const http::Request& request, bool required) : Fields(request), json_(base::Json::object()) {
  if (request.body.empty()) {
    if (required)
      Fail({"본문이 비어 있습니다.", "The body is empty."}, {"JSON 객체를 보내세요.", "Send a JSON object."});
    return;
  }
  base::Result<base::Json> parsed = base::ParseJson(request.body, kBodyLimits);
  if (!parsed.ok()) {
    std::string why = parsed.status().message().substr(0, 300);
    Fail({fmt::format("본문이 올바른 JSON이 아닙니다: {}", why),
          fmt::format("The body is no acceptable JSON: {}", why)});
  } else if (!parsed->is_object()) {
    Fail({"본문은 JSON 객체여야 합니다.", "The body must be a JSON object."});
  } else {
    json_ = std::move(*parsed);
  }
}

const base::Json* Body::Any(const std::string& name) {
  known_.insert(name);
  auto found = json_.find(name);
  return found == json_.end() ? nullptr : &*found;
}

std::optional<std::string> Body::RawText(const std::string& name) {
  const base::Json* value = Any(name);
  if (!value || value->is_null()) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  FailField(name, "문자열이어야 합니다.", "must be a string.");
  return std::nullopt;
}

std::optional<double> Body::RawNumber(const std::string& name, bool whole) {
  const base::Json* value = Any(name);
  if (!value || value->is_null()) return std::nullopt;
  if (value->is_number() && (!whole || std::floor(value->get<double>()) == value->get<double>())) {
    return value->get<double>();
  }
  FailField(name, whole ? "정수여야 합니다." : "수여야 합니다.",
            whole ? "must be a whole number." : "must be a number.");
  return std::nullopt;
}

std::optional<bool> Body::Bool(const std::string& name) {
  const base::Json* value = Any(name);
  if (!value || value->is_null()) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  FailField(name, "true 또는 false여야 합니다.", "must be true or false.");
  return std::nullopt;
}

std::optional<http::Response> Body::Refusal() {
  for (const auto& [name, value] : json_.items()) {
    if (known_.contains(name)) continue;
    std::string shown = name.substr(0, 100);
    Fail({fmt::format("'{}'은(는) 없는 필드입니다.", shown), fmt::format("There is no field '{}'.", shown)},
         {"/docs에서 필드 이름을 확인하세요.", "See /docs for the names of the fields."});
  }
  return Fault();
}

bool Query::On(const std::string& name) {
  std::optional<std::string> value = Choice(name, {"0", "1", "false", "true"});
  return value && (*value == "1" || *value == "true");
}

std::optional<std::string> Query::RawText(const std::string& name) { return request_.Query(name); }

std::optional<double> Query::RawNumber(const std::string& name, bool whole) {
  std::optional<std::string> text = RawText(name);
  if (!text) return std::nullopt;
  double value = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  bool good = error == std::errc() && end == text->data() + text->size() && std::isfinite(value);
  if (good && (!whole || std::floor(value) == value)) return value;
  FailField(name, whole ? "정수여야 합니다." : "수여야 합니다.",
            whole ? "must be a whole number." : "must be a number.");
  return std::nullopt;
}

}  // namespace redoubt::api
