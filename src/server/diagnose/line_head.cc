#include "server/diagnose/line_head.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <array>
#include <charconv>

namespace redoubt::diagnose {
namespace {

using Piece = re2::StringPiece;

std::string_view View(const Piece& piece) { return {piece.data(), piece.size()}; }

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const RE2& ComposePrefix() {  // "redis-1  | ", "[pod/redis-0/redis] ", "app_1 | "
  static const RE2 pattern(R"(^(?:\[pod/[^\]\s]{1,120}\]\s|[A-Za-z0-9_.-]{1,60}\s{0,30}\|\s?))");
  return pattern;
}

const RE2& SyslogPrefix() {  // "May  5 14:40:16 host redis-server[123]: "
  static const RE2 pattern(
      R"(^((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s{1,2}\d{1,2} \d\d:\d\d:\d\d) \S{1,80} [\w./-]{1,60}(?:\[\d+\])?: ?)");
  return pattern;
}

const RE2& IsoPrefix() {  // "2024-05-05T14:40:16.963Z ", "2024-05-05 14:40:16,963 "
  static const RE2 pattern(
      R"(^\[?((?:19|20)\d\d[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?\s?)");
  return pattern;
}

const RE2& ServerHead() {  // "1:M 22 Jan 2019 18:40:10.098 * ", "[1249] 05 May 14:40:16.963 # "
  static const RE2 pattern(
      R"(^(?:\[?\d{1,8}\]?)(?::([MSCX]))?\s{1,3}(\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,6})?) ?([.*#-])? ?)");
  return pattern;
}

const RE2& LogfmtHead() {  // Valkey 8.1 and later with log-format logfmt
  static const RE2 pattern(R"re(^pid=\d+ role=(\w+) timestamp="([^"]{1,40})" level=\w+ message="(.*?)"?$)re");
  return pattern;
}

const RE2& OtherLog() {
  static const RE2 pattern(
      R"(^\s*(?:at [\w$.<]+|File "|Traceback|Caused by|\[?(?:ERROR|WARN|WARNING|INFO|DEBUG|FATAL|TRACE|E|W|I)\]?[\s:]|\d{1,2}[/:]\w{2,3}[/:]\d{2,4}|\d\d:\d\d:\d\d|[\w.$]+(?:Exception|Error)\b:?))");
  return pattern;
}

// {"log":"1:M ...\n","stream":"stdout","time":"2024-..."}: docker's json-file driver.
bool TakeDockerJson(Line& line) {
  if (!line.body.starts_with("{\"log\":\"")) return false;
  size_t end = line.body.find("\",\"stream\"");
  if (end == std::string_view::npos) return false;
  size_t time = line.body.find("\"time\":\"");
  if (time != std::string_view::npos) {
    std::string_view rest = line.body.substr(time + 8);
    line.at = rest.substr(0, rest.find('"'));
  }
  line.body = line.body.substr(8, end - 8);
  if (line.body.ends_with("\\n")) line.body.remove_suffix(2);
  return true;
}

void Take(Line& line, const RE2& pattern, bool with_time) {
  Piece rest(line.body.data(), line.body.size());
  Piece at;
  bool found = with_time ? RE2::Consume(&rest, pattern, &at) : RE2::Consume(&rest, pattern);
  if (!found) return;
  line.body = View(rest);
  if (with_time) line.at = View(at);
}

bool TakeServerHead(Line& line) {
  Piece rest(line.body.data(), line.body.size());
  Piece role, at, level;
  if (RE2::Consume(&rest, ServerHead(), &role, &at, &level)) {
    line.body = View(rest);
    line.at = View(at);
    if (!role.empty()) line.role = role[0];
    return true;
  }
  Piece message;
  if (line.body.starts_with("pid=") && RE2::FullMatch(rest, LogfmtHead(), &role, &at, &message)) {
    line.body = View(message);
    line.at = View(at);
    line.role = role == "sentinel" ? 'X' : role == "replica" ? 'S' : role == "RDB/AOF" ? 'C' : 'M';
    return true;
  }
  return false;
}

bool Digit(char c) { return c >= '0' && c <= '9'; }

// Days since 1970-01-01 (Howard Hinnant's algorithm).
int64_t DaysOf(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct Parts {
  int year = 2000, month = 1, day = 1, hour = 0, minute = 0, second = 0, milli = 0;
  bool has_year = false;
};

bool ParseParts(std::string_view at, Parts& out) {
  static const RE2 iso(R"(^(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,3}))?)");
  static const RE2 redis(R"(^(\d{1,2}) (\w{3})(?: (\d{4}))? (\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?)");
  static const RE2 syslog(R"(^(\w{3})\s+(\d{1,2}) (\d\d):(\d\d):(\d\d))");
  Piece piece(at.data(), at.size());
  std::string month, year, milli;
  if (RE2::PartialMatch(piece, iso, &out.year, &out.month, &out.day, &out.hour, &out.minute, &out.second, &milli)) {
    out.has_year = true;
  } else if (RE2::PartialMatch(piece, redis, &out.day, &month, &year, &out.hour, &out.minute, &out.second, &milli) ||
             RE2::PartialMatch(piece, syslog, &month, &out.day, &out.hour, &out.minute, &out.second)) {
    for (size_t i = 0; i < kMonths.size(); ++i) {
      if (month == kMonths[i]) out.month = static_cast<int>(i) + 1;
    }
    if (!year.empty()) {
      out.has_year = true;
      std::from_chars(year.data(), year.data() + year.size(), out.year);
    }
  } else {
    return false;
  }
  std::from_chars(milli.data(), milli.data() + milli.size(), out.milli);
  return true;
}

}  // namespace

void ReadLineHead(Line& line) {
  line.body = line.whole;
  while (!line.body.empty() && (line.body.back() == '\r' || line.body.back() == ' ')) line.body.remove_suffix(1);
  if (line.body.empty()) {
    line.kind = LineKind::kBlank;
    return;
  }
  std::string_view before = line.body;
  if (!TakeDockerJson(line)) {
    if (!Digit(line.body.front()) && line.body.substr(0, 100).find_first_of("|]") != std::string_view::npos) {
      Take(line, ComposePrefix(), false);
    }
    if (line.body.starts_with("20") || line.body.starts_with("19") || line.body.starts_with("[")) {
      Take(line, IsoPrefix(), true);
    }
    if (!line.body.empty() && line.body.front() >= 'A' && line.body.front() <= 'S') Take(line, SyslogPrefix(), true);
  }
  while (!line.body.empty() && line.body.front() == ' ') line.body.remove_prefix(1);
  if (!line.body.empty() && (Digit(line.body.front()) || line.body.front() == '[' || line.body.front() == 'p') &&
      TakeServerHead(line)) {
    line.kind = LineKind::kServerLog;
    return;
  }
  if (!line.at.empty() || RE2::PartialMatch(Piece(before.data(), std::min<size_t>(before.size(), 200)), OtherLog())) {
    line.kind = LineKind::kOtherLog;
    line.body = before;
  } else if (line.body.size() < before.size() && line.body.empty()) {
    line.body = before;
  }
}

int64_t TimeOrder(std::string_view at) {
  Parts parts;
  if (at.empty() || !ParseParts(at, parts)) return -1;
  int64_t days = DaysOf(parts.year, parts.month, parts.day);
  return ((days * 24 + parts.hour) * 60 + parts.minute) * 60'000 + parts.second * 1000 + parts.milli;
}

std::string IsoTime(std::string_view at) {
  Parts parts;
  if (!ParseParts(at, parts) || !parts.has_year) return std::string(at);
  if (at.find('T') != std::string_view::npos) return std::string(at);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}", parts.year, parts.month, parts.day, parts.hour,
                     parts.minute, parts.second, parts.milli);
}

}  // namespace redoubt::diagnose
