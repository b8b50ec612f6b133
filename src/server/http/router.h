#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/message.h"

namespace redoubt::http {

// Runs on a worker thread (on an I/O thread for kInline). Must not throw.
using Handler = std::function<Response(const Request&)>;

// Which threads run a handler.
enum class Lane {
  kInline,  // the I/O thread: only for answers from memory that take microseconds
  kQuick,   // database and computing
  kSlow,    // waits for other servers; a hanging one must not hold up the quick ones
};

// RouteOptions::query of a route that takes any parameter: for probes and scrapers that send their own, and for pages.
inline constexpr std::string_view kAnyQuery = "*";

struct RouteOptions {
  Lane lane = Lane::kQuick;
  bool open = false;                  // answered without a token
  size_t max_body = size_t{1} << 20;  // bytes
  // The names of its query parameters, a blank between them; "lang" needs no mention. Others are refused with 400: a
  // mistyped ?rule= would widen what a call is about.
  std::string_view query = {};
};

struct Route {
  std::string method;
  std::string pattern;
  std::vector<std::string> segments;  // of the pattern; "{id}" takes any one segment
  Handler handler;
  RouteOptions options;
};

// The first parameter that the route does not take.
std::optional<std::string> UnknownParameter(const Route& route, const Request& request);

struct RouteMatch {
  const Route* route = nullptr;  // null: nothing matches
  std::map<std::string, std::string> params;
  std::string allowed;  // with no route: the methods that the path knows, "GET, POST"; empty for an unknown path
  bool broken = false;  // the path holds a broken escape
};

// Paths to handlers. Filled before serving, then read by many threads.
class Router {
 public:
  // A literal segment wins over a parameter: "/knowledge/export" over "/knowledge/{id}".
  void Add(std::string method, std::string pattern, Handler handler, RouteOptions options = {});
  // Answers GETs of paths that match nothing.
  void SetFallback(Handler handler);

  RouteMatch Match(std::string_view method, std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
  Route fallback_;
};

}  // namespace redoubt::http
