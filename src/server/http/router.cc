#include "server/http/router.h"

namespace redoubt::http {
namespace {

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    size_t slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash);
  }
  return segments;
}

bool IsParameter(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }

// How many literal segments match; nothing when the path is another one.
std::optional<size_t> Literals(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  size_t literals = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (IsParameter(pattern[i])) {
      if (path[i].empty()) return std::nullopt;
    } else if (pattern[i] == path[i]) {
      ++literals;
    } else {
      return std::nullopt;
    }
  }
  return literals;
}

// Whether a list of words with blanks between them has this one.
bool Lists(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    size_t blank = words.find(' ');
    if (words.substr(0, blank) == word) return true;
    words.remove_prefix(blank == std::string_view::npos ? words.size() : blank + 1);
  }
  return false;
}

}  // namespace

std::optional<std::string> UnknownParameter(const Route& route, const Request& request) {
  if (route.options.query == kAnyQuery) return std::nullopt;
  for (const auto& [name, value] : request.query) {
    if (name != "lang" && !Lists(route.options.query, name)) return name;
  }
  return std::nullopt;
}

void Router::Add(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  std::vector<std::string> segments = Split(pattern);
  routes_.push_back({std::move(method), std::move(pattern), std::move(segments), std::move(handler), options});
}

void Router::SetFallback(Handler handler) {
  fallback_ = {"GET", "(file)", {}, std::move(handler), {.lane = Lane::kInline, .open = true, .query = kAnyQuery}};
}

RouteMatch Router::Match(std::string_view method, std::string_view path) const {
  RouteMatch match;
  std::vector<std::string> segments = Split(path);
  for (std::string& segment : segments) {
    auto decoded = PercentDecode(segment, false);
    if (!decoded) {
      match.broken = true;
      return match;
    }
    segment = std::move(*decoded);
  }
  size_t best = 0;
  for (const Route& route : routes_) {
    std::optional<size_t> literals = Literals(route.segments, segments);
    if (!literals) continue;
    if (route.method != method) {
      match.allowed += (match.allowed.empty() ? "" : ", ") + route.method;
    } else if (!match.route || *literals > best) {
      match.route = &route;
      best = *literals;
    }
  }
  if (!match.route && match.allowed.empty() && fallback_.handler && method == "GET") match.route = &fallback_;
  if (!match.route) return match;
  for (size_t i = 0; i < match.route->segments.size(); ++i) {
    const std::string& name = match.route->segments[i];
    if (IsParameter(name)) match.params[name.substr(1, name.size() - 2)] = segments[i];
  }
  return match;
}

}  // namespace redoubt::http
