#include "base/clock.h"
#include "base/json.h"
#include "server/api/demo_server.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/api/version.h"
#include "server/http/access.h"
#include "server/http/router.h"

namespace redoubt::api {
namespace {

base::Json SessionView(const Parts& parts, bool authenticated) {
  return {{"auth_required", parts.access->token_required()},
          {"authenticated", authenticated},
          {"version", kVersion},
          {"llm", OrNull(parts.llm)},
          {"embedding_model", OrNull(parts.embedding_model)},
          {"demo_available", parts.demo->available()},
          {"limits", {{"max_body_bytes", parts.max_log_bytes}, {"max_log_bytes", kMaxLogTextBytes}}}};
}

http::Response SignIn(const http::Request& request, const Parts& parts) {
  Body body(request);
  std::string token = body.Text("token", 4096, true).value_or("");
  if (auto refusal = body.Refusal()) return *refusal;
  if (!parts.access->token_required()) return Ok(SessionView(parts, true));
  if (!parts.access->TokenMatches(token)) {
    parts.logger.Warning("a sign-in from {} with a wrong token was refused", request.peer);
    http::Response refused = http::ErrorResponse(
        request.lang(), 401, "unauthorized", {"토큰이 맞지 않습니다.", "The token is wrong."},
        {"서버를 시작할 때 지정한 토큰을 입력하세요.", "Enter the token that the server was started with."});
    refused.Set("WWW-Authenticate", "Bearer realm=\"redoubt\"");
    return refused;
  }
  http::Response response = Ok(SessionView(parts, true));
  response.Set("Set-Cookie", parts.access->SessionCookie(parts.clock->WallMillis()));
  return response;
}

}  // namespace

void RegisterSession(http::Router& router, const Parts& parts) {
  constexpr http::RouteOptions kOpen{.open = true, .max_body = 16384};
  router.Add(
      "GET", "/api/v1/session",
      [&parts](const http::Request& r) {
        return Ok(SessionView(parts, parts.access->Authenticated(r, parts.clock->WallMillis())));
      },
      kOpen);
  router.Add(
      "POST", "/api/v1/session", [&parts](const http::Request& r) { return SignIn(r, parts); }, kOpen);
  router.Add(
      "DELETE", "/api/v1/session",
      [&parts](const http::Request&) {
        http::Response response;
        response.status = 204;
        response.Set("Set-Cookie", parts.access->ClearedCookie());
        return response;
      },
      kOpen);
}

}  // namespace redoubt::api
