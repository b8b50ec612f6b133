#include "base/json.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/http/router.h"
#include "server/lab/lab.h"

namespace redoubt::api {
namespace {

http::Response Refused(const http::Request& request, const lab::Refusal& refusal) {
  bool can_confirm = refusal.status.code() == base::StatusCode::kFailedPrecondition;
  base::LocalText hint;
  if (can_confirm) {
    hint = {"그래도 진행하려면 confirm에 서버 이름을 그대로 넣으세요.",
            "To go on all the same, give the instance's name as confirm."};
  } else {
    hint = {"데모 서버를 쓰거나, 시험용 서버라면 --allow-test-faults HOST:PORT로 시작하세요.",
            "Use the demo server, or start with --allow-test-faults HOST:PORT for a server kept for tests."};
  }
  return http::ErrorResponse(request.lang(), can_confirm ? 409 : 403, refusal.code, refusal.message, hint);
}

http::Response Outcome(const http::Request& request, const base::Result<lab::Answer>& answer) {
  if (!answer.ok()) return Fail(request, answer.status());
  if (answer->refusal) return Refused(request, *answer->refusal);
  return Ok(lab::ToJson(*answer->outcome, request.lang()));
}

// What every fault asks first: which instance, and does the caller insist.
struct Aim {
  std::string instance;
  std::string confirm;
  std::optional<http::Response> refusal;

  Aim(const http::Request& request, Query& query, const Parts& parts) {
    confirm = query.Text("confirm", 100).value_or("");
    refusal = query.Refusal();
    if (!refusal) instance = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  }
};

http::Response FillMemory(const http::Request& request, const Parts& parts) {
  Query query(request);
  int64_t size_mb = query.Int("size_mb", 1, 4096).value_or(0);
  Aim aim(request, query, parts);
  if (aim.refusal) return *aim.refusal;
  return Outcome(request, parts.lab->FillMemory(aim.instance, size_mb, aim.confirm));
}

http::Response ManyConnections(const http::Request& request, const Parts& parts) {
  Query query(request);
  int64_t count = query.Int("count", 1, 20'000).value_or(100);
  Aim aim(request, query, parts);
  if (aim.refusal) return *aim.refusal;
  return Outcome(request, parts.lab->ManyConnections(aim.instance, count, aim.confirm));
}

http::Response SlowQuery(const http::Request& request, const Parts& parts) {
  Query query(request);
  double seconds = query.Number("seconds", 0.1, lab::kSlowQueryMaxSeconds).value_or(2);
  Aim aim(request, query, parts);
  if (aim.refusal) return *aim.refusal;
  return Outcome(request, parts.lab->SlowQuery(aim.instance, seconds, aim.confirm));
}

http::Response Cleanup(const http::Request& request, const Parts& parts) {
  Query query(request);
  Aim aim(request, query, parts);
  if (aim.refusal) return *aim.refusal;
  return Outcome(request, parts.lab->Cleanup(aim.instance));
}

http::Response Panel(const http::Request& request, const Parts& parts) {
  std::optional<http::Response> refusal;
  std::string instance = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  if (refusal) return *refusal;
  base::Result<lab::Panel> panel = parts.lab->Describe(instance);
  if (!panel.ok()) return Fail(request, panel.status());
  return Ok(lab::ToJson(*panel, request.lang()));
}

}  // namespace

void RegisterFaults(http::Router& router, const Parts& parts) {
  auto slow = [](std::string_view query) { return http::RouteOptions{.lane = http::Lane::kSlow, .query = query}; };
  auto with = [&parts](auto handler) {
    return [&parts, handler](const http::Request& r) { return handler(r, parts); };
  };
  router.Add("GET", "/api/v1/monitor/test", with(Panel), slow("instance"));
  router.Add("POST", "/api/v1/monitor/test/fill-memory", with(FillMemory), slow("size_mb instance confirm"));
  router.Add("POST", "/api/v1/monitor/test/many-connections", with(ManyConnections), slow("count instance confirm"));
  router.Add("POST", "/api/v1/monitor/test/slow-query", with(SlowQuery), slow("seconds instance confirm"));
  router.Add("POST", "/api/v1/monitor/test/cleanup", with(Cleanup), slow("instance"));
}

}  // namespace redoubt::api
