#include "base/clock.h"
#include "base/json.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/api/views.h"
#include "server/http/event_hub.h"
#include "server/http/router.h"

namespace redoubt::api {
namespace {

http::Response Stream(const http::Request& request, const Parts& parts) {
  std::string topic;
  if (request.Query("instance")) {
    std::optional<http::Response> refusal;
    topic = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
    if (refusal) return *refusal;
  }
  // Subscribed before the state is read, so that nothing falls between the two.
  http::Response response;
  response.events = parts.events->Subscribe({topic, std::string(base::LangTag(request.lang()))});
  if (!response.events) {
    http::Response full = http::ErrorResponse(request.lang(), 503, "overloaded",
                                              {"열린 스트림이 너무 많습니다.", "Too many streams are open."},
                                              {"잠시 후 다시 연결하세요.", "Connect again in a moment."});
    full.Set("Retry-After", "5");
    return full;
  }
  base::Json hello = StatusView(parts, request.lang());
  hello.erase("default");
  response.body = "retry: 3000\n" + http::EventFrame("hello", base::DumpJson(hello));
  return response;
}

}  // namespace

void RegisterStream(http::Router& router, const Parts& parts) {
  router.Add("GET", "/api/v1/monitor/stream", [&parts](const http::Request& r) { return Stream(r, parts); },
             {.query = "instance"});
}

}  // namespace redoubt::api
