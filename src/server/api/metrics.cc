#include <fmt/core.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/api/views.h"
#include "server/history/history.h"
#include "server/http/router.h"
#include "server/monitor/instances.h"

namespace redoubt::api {
namespace {

constexpr size_t kMaxMetrics = 16;
constexpr int64_t kHourMs = 3'600'000;

http::Response Metrics(const http::Request& request, const Parts& parts) {
  Query query(request);
  bool all = query.On("all");
  std::optional<http::Response> refusal = query.Refusal();
  if (refusal) return *refusal;
  std::string id = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  if (refusal) return *refusal;
  if (std::optional<monitor::Sample> sample = parts.monitor->Last(id)) return Ok(SampleView(*sample, all));
  std::optional<monitor::InstanceStatus> status = parts.monitor->Instance(id);
  if (status && status->config.running) {
    http::Response soon =
        http::ErrorResponse(request.lang(), 503, "unavailable",
                            {"아직 첫 표본을 받지 못했습니다.", "The first sample has not arrived yet."},
                            {"잠시 후 다시 시도하세요.", "Try again in a moment."});
    soon.Set("Retry-After", "1");
    return soon;
  }
  return http::ErrorResponse(request.lang(), 409, "failed_precondition",
                             {"모니터링이 멈춰 있어 표본이 없습니다.", "Polling is stopped, so there is no sample."},
                             {"POST /api/v1/monitor/start로 시작하세요.", "Start it: POST /api/v1/monitor/start."});
}

std::vector<std::string> ReadMetricNames(Query& query) {
  std::vector<std::string> names;
  std::string text = query.Text("metrics", 1000, true).value_or("");
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    names.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  if (names.size() > kMaxMetrics) {
    query.Fail({fmt::format("'metrics'는 {}개까지입니다.", kMaxMetrics),
                fmt::format("'metrics' takes at most {} names.", kMaxMetrics)});
  }
  return names;
}

base::Json SeriesView(const history::SeriesSet& set, const std::string& instance) {
  base::Json series = base::Json::object();
  for (const auto& [name, values] : set.series) {
    base::Json column = base::Json::array();
    for (const std::optional<double>& value : values) column.push_back(value ? base::Json(*value) : base::Json());
    series[name] = std::move(column);
  }
  base::Json gaps = base::Json::array();
  for (const history::Gap& gap : set.gaps) {
    gaps.push_back({{"from_ms", gap.from_ms}, {"to_ms", gap.to_ms}, {"reason", history::GapReasonName(gap.reason)}});
  }
  return {{"instance", instance},     {"from_ms", set.from_ms},      {"to_ms", set.to_ms},     {"step_ms", set.step_ms},
          {"times_ms", set.times_ms}, {"series", std::move(series)}, {"gaps", std::move(gaps)}};
}

http::Response History(const http::Request& request, const Parts& parts) {
  Query query(request);
  history::RangeQuery range;
  range.metrics = ReadMetricNames(query);
  range.to_ms = query.Time("to").value_or(parts.clock->WallMillis());
  range.from_ms = query.Time("from").value_or(range.to_ms - kHourMs);
  range.step_ms = query.Int("step", 1, 86'400).value_or(0) * 1000;
  if (range.from_ms >= range.to_ms) query.Fail({"'from'은 'to'보다 앞서야 합니다.", "'from' must be before 'to'."});
  std::optional<http::Response> refusal = query.Refusal();
  if (refusal) return *refusal;
  range.instance = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  if (refusal) return *refusal;
  base::Result<history::SeriesSet> set = parts.history->Range(range);
  if (!set.ok()) return Fail(request, set.status());
  return Ok(SeriesView(*set, range.instance));
}

}  // namespace

void RegisterMetrics(http::Router& router, const Parts& parts) {
  router.Add("GET", "/api/v1/monitor/metrics", [&parts](const http::Request& r) { return Metrics(r, parts); },
             {.query = "instance all"});
  router.Add("GET", "/api/v1/monitor/metrics/history", [&parts](const http::Request& r) { return History(r, parts); },
             {.query = "instance metrics from to step"});
}

}  // namespace redoubt::api
