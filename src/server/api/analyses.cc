#include <fmt/core.h>

#include <algorithm>

#include "base/clock.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "server/alert/alert.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/publish.h"
#include "server/api/reply.h"
#include "server/api/version.h"
#include "server/diagnose/analysis_store.h"
#include "server/diagnose/analyzer.h"
#include "server/http/event_hub.h"
#include "server/http/router.h"
#include "server/monitor/instances.h"

namespace redoubt::api {
namespace {

constexpr size_t kMaxMetrics = 5000;
constexpr size_t kMaxMetricBytes = 65536;

bool IsScalar(const base::Json& value) {
  return value.is_null() || value.is_boolean() || value.is_number() ||
         (value.is_string() && value.get_ref<const std::string&>().size() <= kMaxMetricBytes);
}

std::string ScalarText(const base::Json& value) {
  return value.is_string() ? value.get<std::string>() : base::DumpJson(value);
}

// {"db0": {"keys": 1, "expires": 0}}, as redis-py's info() gives it, becomes INFO's own "keys=1,expires=0".
std::optional<std::string> Flatten(const base::Json& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    if (!IsScalar(value)) return std::nullopt;
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, ScalarText(value));
  }
  return text;
}

std::shared_ptr<const base::Json> ReadMetrics(Body& body) {
  const base::Json* given = body.Any("metrics");
  if (!given || given->is_null()) return nullptr;
  auto metrics = std::make_shared<base::Json>(base::Json::object());
  if (!given->is_object() || given->size() > kMaxMetrics) {
    body.Fail({fmt::format("'metrics' 필드는 항목이 {}개 이하인 객체여야 합니다.", kMaxMetrics),
               fmt::format("Field 'metrics' must be an object of at most {} items.", kMaxMetrics)});
    return metrics;
  }
  for (const auto& [name, value] : given->items()) {
    std::optional<std::string> flat = value.is_object() ? Flatten(value) : std::nullopt;
    if (value.is_null()) continue;
    if (flat) {
      (*metrics)[name] = *flat;
    } else if (IsScalar(value)) {
      (*metrics)[name] = value;
    } else {
      std::string shown = name.substr(0, 100);
      body.Fail({fmt::format("'metrics.{}' 값은 수, 문자열, 또는 한 단계 객체여야 합니다.", shown),
                 fmt::format("'metrics.{}' must be a number, a string or an object one level deep.", shown)});
    }
  }
  return metrics;
}

base::Lang ReadLang(Body& body, const http::Request& request) {
  std::optional<std::string> text = body.Choice("lang", {"ko", "en"});
  return text ? base::ParseLang(*text).value_or(base::Lang::kKo) : request.lang();
}

std::vector<diagnose::FiringAlert> FiringAlerts(const std::string& instance, const Parts& parts) {
  std::vector<diagnose::FiringAlert> firing;
  for (const alert::Alert& alert : parts.alerts->Firing(instance)) {
    firing.push_back({alert.rule, std::string(alert::SeverityName(alert.severity)), alert.metric, alert.value,
                      alert.threshold, alert.started_at_ms});
  }
  return firing;
}

std::string InstanceName(const std::string& id, const Parts& parts) {
  std::optional<monitor::InstanceStatus> status = parts.monitor->Instance(id);
  return status ? status->config.name : id;
}

// What one analysis works on; shared with the thread that waits for a language model.
struct Task {
  diagnose::AnalysisRequest input;
  monitor::Snapshot snapshot;
  bool debug = false;
};

// What is known of the instance that a pasted log speaks of: from memory, so that the answer does not wait for it.
void AddLive(Task& task, const Parts& parts) {
  task.input.instance_name = InstanceName(task.input.instance, parts);
  task.input.firing = FiringAlerts(task.input.instance, parts);
  std::optional<monitor::Sample> last = parts.monitor->Last(task.input.instance);
  if (!last || !last->reachable) return;
  if (last->config) task.snapshot.config = *last->config;
  task.snapshot.now = std::move(*last);
  task.input.live = &task.snapshot;
}

// Analyses, stores, tells the open streams, answers.
http::Response Finish(const http::Request& request, const Parts& parts, const Task& task) {
  base::Result<diagnose::Analysis> analysis = parts.analyzer->Analyze(task.input);
  if (!analysis.ok()) return Fail(request, analysis.status());
  if (base::Status saved = parts.analyses->Save(*analysis); !saved.ok()) return Fail(request, saved);
  PublishAnalysis(parts, *analysis);
  return Ok(diagnose::ToJson(*analysis, task.debug));
}

void PushEvent(http::EventStream& stream, std::string_view name, const base::Json& data) {
  stream.Push(std::make_shared<const std::string>(http::EventFrame(name, base::DumpJson(data))));
}

void EndStream(http::EventStream& stream, const Parts& parts, const diagnose::Analysis& analysis, bool debug) {
  base::Status saved = parts.analyses->Save(analysis);
  if (saved.ok()) {
    PublishAnalysis(parts, analysis);
    PushEvent(stream, "done", diagnose::ToJson(analysis, debug));
  } else {
    PushEvent(stream, "error", {{"error", {{"code", "unavailable"}, {"message", saved.message()}, {"hint", ""}}}});
  }
  stream.Close();
}

// The findings at once, then the model's words as they come, then the whole. Without a model, or when too many wait for
// it, the findings are the whole.
http::Response FinishStreaming(const http::Request& request, const Parts& parts, std::shared_ptr<Task> task) {
  task->input.use_llm = false;
  base::Result<diagnose::Analysis> findings = parts.analyzer->Analyze(task->input);
  if (!findings.ok()) return Fail(request, findings.status());
  auto stream = std::make_shared<http::EventStream>(4096);
  http::Response response;
  response.body = http::EventFrame("findings", base::DumpJson(diagnose::ToJson(*findings, task->debug)));
  response.events = stream;
  auto narrate = [&parts, task, stream, first = *findings] {
    task->input.use_llm = true;
    auto on_delta = [&](std::string_view piece) { PushEvent(*stream, "delta", {{"text", piece}}); };
    base::Result<diagnose::Analysis> told = parts.analyzer->Analyze(task->input, on_delta);
    diagnose::Analysis whole = told.ok() ? std::move(*told) : first;
    whole.id = first.id;
    whole.created_at_ms = first.created_at_ms;
    EndStream(*stream, parts, whole, task->debug);
  };
  bool taken = parts.narrators && parts.narrators->TrySubmit(narrate);
  if (!taken) EndStream(*stream, parts, *findings, task->debug);
  return response;
}

http::Response Analyze(const http::Request& request, const Parts& parts) {
  auto task = std::make_shared<Task>();
  Query query(request);
  task->debug = query.On("debug");
  if (auto refusal = query.Refusal()) return *refusal;
  Body body(request);
  diagnose::AnalysisRequest& input = task->input;
  input.log_text = body.Text("log_text", kMaxLogTextBytes).value_or("");
  input.metrics = ReadMetrics(body);
  input.lang = ReadLang(body, request);
  std::optional<std::string> instance = body.Text("instance", 100);
  bool no_metrics = !input.metrics || input.metrics->empty();
  if (no_metrics && input.log_text.find_first_not_of(" \t\r\n") == std::string::npos) {
    body.Fail({"'log_text'와 'metrics' 중 하나는 있어야 합니다.", "One of 'log_text' and 'metrics' is needed."},
              {"로그 또는 INFO 결과를 붙여 넣으세요.", "Paste a log or the output of INFO."});
  }
  if (auto refusal = body.Refusal()) return *refusal;
  if (instance && !instance->empty()) {
    std::optional<http::Response> refusal;
    input.instance = ResolveInstance(request, *parts.monitor, instance, refusal);
    if (refusal) return *refusal;
    AddLive(*task, parts);
  }
  bool streaming = request.Header("accept").find("text/event-stream") != std::string_view::npos;
  return streaming ? FinishStreaming(request, parts, std::move(task)) : Finish(request, parts, *task);
}

http::Response AnalyzeNow(const http::Request& request, const Parts& parts) {
  Task task;
  Query query(request);
  task.debug = query.On("debug");
  if (auto refusal = query.Refusal()) return *refusal;
  Body body(request, false);
  task.input.lang = ReadLang(body, request);
  std::optional<std::string> asked = body.Text("instance", 100);
  bool all_clients = body.Bool("all_clients").value_or(false);
  std::optional<http::Response> refusal = body.Refusal();
  if (refusal) return *refusal;
  std::string id = ResolveInstance(request, *parts.monitor, asked, refusal);
  if (refusal) return *refusal;
  task.input.instance = id;
  task.input.instance_name = InstanceName(id, parts);
  task.input.firing = FiringAlerts(id, parts);
  base::Result<monitor::Snapshot> snapshot = parts.monitor->Collect(id, all_clients);
  if (!snapshot.ok()) return Fail(request, snapshot.status());
  task.snapshot = std::move(*snapshot);
  task.input.live = &task.snapshot;
  return Finish(request, parts, task);
}

base::Json RowView(const diagnose::AnalysisRow& row) {
  return {{"id", row.id},
          {"created_at", row.created_at},
          {"headline", row.headline},
          {"severity", row.severity},
          {"category", row.category},
          {"failure_mode", row.failure_mode},
          {"confidence", row.confidence},
          {"state", row.state.empty() ? "unknown" : row.state},
          {"instance", OrNull(row.instance)}};
}

http::Response ListAnalyses(const http::Request& request, const Parts& parts) {
  Query query(request);
  diagnose::AnalysisFilter filter;
  filter.limit = static_cast<size_t>(query.Int("limit", 1, 100).value_or(20));
  filter.cursor = query.Text("cursor", 200).value_or("");
  filter.category = query.Text("category", 40).value_or("");
  filter.severity = query.Text("severity", 40).value_or("");
  filter.instance = query.Text("instance", 100).value_or("");
  filter.failure_mode = query.Text("failure_mode", 100).value_or("");
  filter.text = query.Text("q", 400).value_or("");
  if (auto refusal = query.Refusal()) return *refusal;
  // A name counts too, and an id of an instance that is gone still finds its analyses.
  if (base::Result<std::string> id = parts.monitor->Resolve(filter.instance); !filter.instance.empty() && id.ok()) {
    filter.instance = *id;
  }
  base::Result<diagnose::AnalysisPage> page = parts.analyses->List(filter);
  if (!page.ok()) return Fail(request, page.status());
  base::Json rows = base::Json::array();
  for (const diagnose::AnalysisRow& row : page->items) rows.push_back(RowView(row));
  return Ok({{"analyses", std::move(rows)}, {"next_cursor", OrNull(page->next_cursor)}});
}

http::Response GetAnalysis(const http::Request& request, const Parts& parts) {
  const std::string& id = request.path_params.at("id");
  Query query(request);
  bool debug = query.On("debug");
  if (auto refusal = query.Refusal()) return *refusal;
  base::Result<base::Json> analysis = parts.analyses->Get(id, debug);
  if (analysis.ok()) return Ok(*analysis);
  if (analysis.status().code() == base::StatusCode::kNotFound) return NotFound(request, "분석", "analysis", id);
  return Fail(request, analysis.status());
}

}  // namespace

void RegisterAnalyses(http::Router& router, const Parts& parts) {
  using Lane = http::Lane;
  auto with = [&parts](auto handler) {
    return [&parts, handler](const http::Request& r) { return handler(r, parts); };
  };
  router.Add("POST", "/api/v1/analyze", with(Analyze),
             {.lane = Lane::kSlow, .max_body = parts.max_log_bytes, .query = "debug"});
  router.Add("GET", "/api/v1/analyze", with(ListAnalyses),
             {.query = "limit cursor category severity failure_mode q instance"});
  router.Add("GET", "/api/v1/analyze/{id}", with(GetAnalysis), {.query = "debug"});
  router.Add("POST", "/api/v1/monitor/analyze", with(AnalyzeNow), {.lane = Lane::kSlow, .query = "instance debug"});
}

}  // namespace redoubt::api
