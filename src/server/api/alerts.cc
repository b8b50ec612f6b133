#include "base/json.h"
#include "server/alert/alert.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/publish.h"
#include "server/api/reply.h"
#include "server/http/router.h"

namespace redoubt::api {
namespace {

http::Response List(const http::Request& request, const Parts& parts) {
  Query query(request);
  size_t limit = static_cast<size_t>(query.Int("limit", 1, 200).value_or(50));
  bool resolved_too = query.Choice("state", {"active", "all"}).value_or("all") == "all";
  std::optional<http::Response> refusal = query.Refusal();
  if (refusal) return *refusal;
  std::string instance;
  // Without ?instance= an empty list, not an error, while nothing is connected.
  if (request.Query("instance")) instance = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  if (refusal) return *refusal;
  base::Json alerts = base::Json::array();
  for (const alert::Alert& alert : parts.alerts->List(instance, resolved_too, limit)) {
    alerts.push_back(alert::ToJson(alert, request.lang()));
  }
  return Ok({{"alerts", std::move(alerts)}});
}

http::Response Acknowledge(const http::Request& request, const Parts& parts) {
  const std::string& id = request.path_params.at("id");
  base::Result<alert::AlertEvent> event = parts.alerts->Ack(id);
  if (!event.ok() && event.status().code() == base::StatusCode::kNotFound)
    return NotFound(request, "경보", "alert", id);
  if (!event.ok() && event.status().code() == base::StatusCode::kFailedPrecondition) {
    return http::ErrorResponse(request.lang(), 409, "failed_precondition",
                               {"이미 해소된 경보입니다.", "The alert is resolved already."});
  }
  if (!event.ok()) return Fail(request, event.status());
  PublishAlert(parts, *event);
  return Ok(alert::ToJson(event->alert, request.lang()));
}

}  // namespace

void RegisterAlerts(http::Router& router, const Parts& parts) {
  router.Add("GET", "/api/v1/monitor/alerts", [&parts](const http::Request& r) { return List(r, parts); },
             {.query = "instance limit state"});
  router.Add("POST", "/api/v1/monitor/alerts/{id}/ack",
             [&parts](const http::Request& r) { return Acknowledge(r, parts); });
}

}  // namespace redoubt::api
