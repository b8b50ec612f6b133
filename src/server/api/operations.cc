#include <fmt/core.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "base/build_info.h"
#include "base/json.h"
#include "server/alert/alert.h"
#include "server/api/openapi.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/api/version.h"
#include "server/http/event_hub.h"
#include "server/http/router.h"
#include "server/http/stats.h"
#include "server/kb/knowledge_base.h"
#include "server/monitor/instances.h"

namespace redoubt::api {
namespace {

http::Response Ready(const Parts& parts) {
  base::Status database = parts.database_check();
  bool entries = !parts.knowledge->List().empty();
  std::string retrieval = parts.embedding_model.empty() ? "keywords only"
                          : parts.vectors_ready()       ? "ok"
                                                        : "vectors are being built; keywords until then";
  bool resumed = parts.resumed();
  bool ready = database.ok() && entries && resumed;
  base::Json checks = {{"database", database.ok() ? "ok" : database.message()},
                       {"knowledge", entries ? "ok" : "no entries are loaded"},
                       {"monitor", resumed ? "ok" : "the watched servers are being taken up again"},
                       {"retrieval", retrieval}};
  return Ok({{"status", ready ? "ready" : "not_ready"}, {"checks", std::move(checks)}}, ready ? 200 : 503);
}

http::Response Version() {
  return Ok({{"name", "redoubt"},
             {"version", kVersion},
             {"build", kBuild},
             {"git_sha", base::GitSha()},
             {"compiler", fmt::format("gcc {}", __VERSION__)},
             {"api", "v1"}});
}

// Prometheus text, exposition format 0.0.4.
class Exposition {
 public:
  void Family(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  void Sample(std::string_view name, std::string_view labels, double value) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
  }
  void One(std::string_view name, std::string_view type, std::string_view help, double value) {
    Family(name, type, help);
    Sample(name, "", value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void AddRoutes(Exposition& out, const http::Stats& stats) {
  auto routes = stats.routes();
  out.Family("redoubt_http_requests_total", "counter", "Answered requests.");
  for (const auto& [key, route] : routes) {
    for (const auto& [status, count] : route.by_status) {
      out.Sample("redoubt_http_requests_total",
                 fmt::format("method=\"{}\",route=\"{}\",status=\"{}\"", key.first, key.second, status),
                 static_cast<double>(count));
    }
  }
  out.Family("redoubt_http_request_seconds", "histogram", "From the end of a request's header to its answer.");
  for (const auto& [key, route] : routes) {
    std::string labels = fmt::format("method=\"{}\",route=\"{}\"", key.first, key.second);
    uint64_t below = 0;
    for (size_t i = 0; i < http::Stats::kBucketSeconds.size(); ++i) {
      below += route.buckets[i];
      out.Sample("redoubt_http_request_seconds_bucket",
                 fmt::format("{},le=\"{}\"", labels, http::Stats::kBucketSeconds[i]), static_cast<double>(below));
    }
    out.Sample("redoubt_http_request_seconds_bucket", labels + ",le=\"+Inf\"", static_cast<double>(route.count));
    out.Sample("redoubt_http_request_seconds_sum", labels, route.seconds);
    out.Sample("redoubt_http_request_seconds_count", labels, static_cast<double>(route.count));
  }
}

void AddWatching(Exposition& out, const Parts& parts) {
  std::map<std::string_view, int> by_state;
  for (const monitor::InstanceStatus& status : parts.monitor->Instances())
    ++by_state[monitor::InstanceStateName(status.state)];
  out.Family("redoubt_instances", "gauge", "Watched servers by state.");
  for (const auto& [state, count] : by_state)
    out.Sample("redoubt_instances", fmt::format("state=\"{}\"", state), count);
  std::map<std::string_view, int> by_severity = {{"warning", 0}, {"critical", 0}};
  int silenced = 0;
  for (const alert::Alert& alert : parts.alerts->Firing("")) {
    ++(alert.silenced() ? silenced : by_severity[alert::SeverityName(alert.severity)]);
  }
  out.Family("redoubt_alerts_firing", "gauge", "Firing and acknowledged alerts by severity, without silenced ones.");
  for (const auto& [severity, count] : by_severity)
    out.Sample("redoubt_alerts_firing", fmt::format("severity=\"{}\"", severity), count);
  out.One("redoubt_alerts_silenced", "gauge", "Firing and acknowledged alerts that are silenced.", silenced);
  out.One("redoubt_knowledge_entries", "gauge", "Entries of the knowledge base.",
          static_cast<double>(parts.knowledge->List().size()));
}

http::Response OwnMetrics(const Parts& parts) {
  Exposition out;
  out.Family("redoubt_build_info", "gauge", "Version of this server.");
  out.Sample("redoubt_build_info",
             fmt::format("version=\"{}\",build=\"{}\",revision=\"{}\"", kVersion, kBuild, base::GitSha()), 1);
  out.One("process_resident_memory_bytes", "gauge", "Resident memory.", ResidentBytes());
  out.One("process_cpu_seconds_total", "counter", "CPU time of this process.", CpuSeconds());
  out.One("redoubt_http_connections", "gauge", "Open connections.", static_cast<double>(parts.stats->open_connections));
  out.One("redoubt_http_streams", "gauge", "Open event streams.", static_cast<double>(parts.stats->open_streams));
  out.One("redoubt_http_overloaded_total", "counter", "Requests and connections refused at a limit.",
          static_cast<double>(parts.stats->overloaded));
  out.One("redoubt_events_total", "counter", "Events handed to streams.",
          static_cast<double>(parts.events->published()));
  AddWatching(out, parts);
  AddRoutes(out, *parts.stats);
  return http::TextResponse(200, "text/plain; version=0.0.4; charset=utf-8", out.Take());
}

http::Response OpenApi() {
  http::Response response;
  response.Set("Content-Type", "application/json");
  response.Set("Cache-Control", "no-cache");
  response.static_body = OpenApiDocument();
  return response;
}

}  // namespace

void RegisterOperations(http::Router& router, const Parts& parts) {
  constexpr http::RouteOptions kOpen{.open = true, .query = http::kAnyQuery};
  constexpr http::RouteOptions kInline{.lane = http::Lane::kInline, .open = true, .query = http::kAnyQuery};
  router.Add(
      "GET", "/healthz",
      [](const http::Request&) {
        return Ok({{"status", "ok"}});
      },
      kInline);
  router.Add(
      "GET", "/readyz", [&parts](const http::Request&) { return Ready(parts); }, kOpen);
  router.Add("GET", "/metrics", [&parts](const http::Request&) { return OwnMetrics(parts); },
             {.query = http::kAnyQuery});
  router.Add(
      "GET", "/version", [](const http::Request&) { return Version(); }, kInline);
  router.Add(
      "GET", "/openapi.json", [](const http::Request&) { return OpenApi(); }, kInline);
  router.Add(
      "GET", "/docs", [&parts](const http::Request& r) { return parts.docs(r); }, kInline);
}

}  // namespace redoubt::api
