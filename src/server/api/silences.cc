#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "server/alert/alert.h"
#include "server/alert/rule.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/publish.h"
#include "server/api/reply.h"
#include "server/http/router.h"

namespace redoubt::api {
namespace {

constexpr int64_t kLongestS = 90 * 86'400;

// The title of the rule or group; null when the silence is for all rules.
base::Json TitleOf(const std::string& rule, const Parts& parts, base::Lang lang) {
  for (const alert::Rule& known : parts.alerts->rules()) {
    if (known.id == rule) return known.title.In(lang);
  }
  for (const alert::Rule& known : parts.alerts->rules()) {
    if (known.group == rule) return known.group_title.In(lang);
  }
  return nullptr;
}

base::Json View(const alert::Silence& silence, const Parts& parts, base::Lang lang) {
  return {{"id", silence.id},
          {"instance", OrNull(silence.instance)},
          {"rule", OrNull(silence.rule)},
          {"title", TitleOf(silence.rule, parts, lang)},
          {"comment", silence.comment},
          {"created_at", base::FormatUtcMillis(silence.created_at_ms)},
          {"until", base::FormatUtcMillis(silence.until_ms)}};
}

http::Response List(const http::Request& request, const Parts& parts) {
  std::string instance;
  std::optional<http::Response> refusal;
  if (request.Query("instance")) instance = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  if (refusal) return *refusal;
  base::Json silences = base::Json::array();
  for (const alert::Silence& silence : parts.alerts->Silences()) {
    bool here = instance.empty() || silence.instance.empty() || silence.instance == instance;
    if (here) silences.push_back(View(silence, parts, request.lang()));
  }
  return Ok({{"silences", std::move(silences)}});
}

// Exactly one of "duration_s" and "until".
int64_t ReadEnd(Body& body, int64_t now_ms) {
  std::optional<int64_t> duration_s = body.Int("duration_s", 1, kLongestS);
  std::optional<int64_t> until_ms = body.Time("until");
  if (duration_s.has_value() == until_ms.has_value()) {
    body.Fail({"'duration_s'와 'until' 중 하나만 있어야 합니다.", "Exactly one of 'duration_s' and 'until' is needed."},
              {"한 시간이면 {\"duration_s\": 3600}을 보내세요.", "For one hour send {\"duration_s\": 3600}."});
    return 0;
  }
  if (duration_s) return now_ms + *duration_s * 1000;
  if (*until_ms <= now_ms || *until_ms > now_ms + kLongestS * 1000) {
    body.Fail({"'until' 필드는 지금부터 90일 안의 시각이어야 합니다.",
               "Field 'until' must lie in the future, within 90 days."});
  }
  return *until_ms;
}

std::string ReadRule(Body& body, const Parts& parts) {
  std::string rule = body.Text("rule", 100).value_or("");
  const std::vector<alert::Rule>& rules = parts.alerts->rules();
  bool known = rule.empty() || std::any_of(rules.begin(), rules.end(),
                                           [&](const alert::Rule& one) { return one.id == rule || one.group == rule; });
  if (!known) {
    body.Fail({fmt::format("'rule' 필드: '{}' 규칙은 없습니다.", rule),
               fmt::format("Field 'rule': there is no rule '{}'.", rule)},
              {"GET /api/v1/monitor/thresholds에서 규칙(rule)과 묶음(group) 이름을 확인하세요.",
               "GET /api/v1/monitor/thresholds lists rules and groups."});
  }
  return rule;
}

// Waiting does not help, so this is no 503, as a full disk is.
http::Response Full(const http::Request& request) {
  size_t most = alert::AlertEngine::kMaxSilences;
  return http::ErrorResponse(request.lang(), 409, "failed_precondition",
                             {fmt::format("알림 중지가 이미 {}개 있어 더 만들 수 없습니다.", most),
                              fmt::format("There are {} silences already, which is the most.", most)},
                             {"GET /api/v1/monitor/silences에서 필요 없는 것을 찾아 DELETE로 끝내세요.",
                              "Find one that is not needed with GET /api/v1/monitor/silences and end it with DELETE."});
}

http::Response Add(const http::Request& request, const Parts& parts) {
  Body body(request);
  alert::Silence silence;
  silence.until_ms = ReadEnd(body, parts.clock->WallMillis());
  silence.rule = ReadRule(body, parts);
  silence.comment = body.Text("comment", 1000).value_or("");
  // null, and nothing less explicit, stands for all of them, also for those connected later.
  const base::Json* given = body.Any("instance");
  bool everywhere = given && given->is_null();
  std::optional<std::string> instance = body.Text("instance", 100);
  std::optional<http::Response> refusal = body.Refusal();
  if (!refusal && !everywhere) silence.instance = ResolveInstance(request, *parts.monitor, instance, refusal);
  if (refusal) return *refusal;
  base::Result<alert::SilenceChange> change = parts.alerts->AddSilence(std::move(silence));
  if (change.status().code() == base::StatusCode::kFailedPrecondition) return Full(request);
  if (!change.ok()) return Fail(request, change.status());
  for (const alert::AlertEvent& event : change->events) PublishAlert(parts, event);
  return Ok(View(change->silence, parts, request.lang()), 201);
}

http::Response Remove(const http::Request& request, const Parts& parts) {
  const std::string& id = request.path_params.at("id");
  base::Result<std::vector<alert::AlertEvent>> events = parts.alerts->RemoveSilence(id);
  if (!events.ok() && events.status().code() == base::StatusCode::kNotFound) {
    return NotFound(request, "알림 중지", "silence", id);
  }
  if (!events.ok()) return Fail(request, events.status());
  for (const alert::AlertEvent& event : *events) PublishAlert(parts, event);
  http::Response gone;
  gone.status = 204;
  return gone;
}

}  // namespace

void RegisterSilences(http::Router& router, const Parts& parts) {
  router.Add("GET", "/api/v1/monitor/silences", [&parts](const http::Request& r) { return List(r, parts); },
             {.query = "instance"});
  router.Add("POST", "/api/v1/monitor/silences", [&parts](const http::Request& r) { return Add(r, parts); },
             {.query = "instance"});
  router.Add("DELETE", "/api/v1/monitor/silences/{id}", [&parts](const http::Request& r) { return Remove(r, parts); });
}

}  // namespace redoubt::api
