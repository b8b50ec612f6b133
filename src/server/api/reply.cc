#include "server/api/reply.h"

#include <fmt/core.h>

#include "base/clock.h"
#include "base/json.h"
#include "server/monitor/instances.h"

namespace redoubt::api {
namespace {

struct Kind {
  int http_status;
  const char* korean;
};

Kind KindOf(base::StatusCode code) {
  switch (code) {
    case base::StatusCode::kInvalidArgument:
      return {400, "요청 값이 올바르지 않습니다"};
    case base::StatusCode::kUnauthenticated:
      return {401, "인증에 실패했습니다"};
    case base::StatusCode::kPermissionDenied:
      return {403, "허용되지 않은 작업입니다"};
    case base::StatusCode::kNotFound:
      return {404, "대상을 찾을 수 없습니다"};
    case base::StatusCode::kAlreadyExists:
      return {409, "이미 존재합니다"};
    case base::StatusCode::kFailedPrecondition:
      return {409, "지금 상태에서는 할 수 없습니다"};
    case base::StatusCode::kResourceExhausted:
      return {503, "한도에 도달했습니다"};
    case base::StatusCode::kUnavailable:
      return {503, "지금은 응답할 수 없습니다"};
    case base::StatusCode::kDeadlineExceeded:
      return {504, "제한 시간을 넘었습니다"};
    case base::StatusCode::kUnimplemented:
      return {501, "아직 지원하지 않습니다"};
    default:
      return {500, "서버 내부 오류입니다"};
  }
}

}  // namespace

http::Response Ok(const base::Json& json, int status) { return http::JsonResponse(status, base::DumpJson(json)); }

base::Json OrNull(const std::string& text) { return text.empty() ? base::Json() : base::Json(text); }

base::Json TimeOrNull(const std::optional<int64_t>& wall_ms) {
  return wall_ms ? base::Json(base::FormatUtcMillis(*wall_ms)) : base::Json();
}

http::Response Fail(const http::Request& request, const base::Status& status) {
  Kind kind = KindOf(status.code());
  http::Response response =
      http::ErrorResponse(request.lang(), kind.http_status, base::StatusCodeName(status.code()),
                          {fmt::format("{}: {}", kind.korean, status.message()), status.message()});
  if (kind.http_status == 503) response.Set("Retry-After", "1");
  return response;
}

http::Response NotFound(const http::Request& request, std::string_view korean_what, std::string_view english_what,
                        std::string_view name) {
  std::string shown(name.substr(0, 100));
  return http::ErrorResponse(request.lang(), 404, "not_found",
                             {fmt::format("{} '{}'을(를) 찾을 수 없습니다.", korean_what, shown),
                              fmt::format("There is no {} '{}'.", english_what, shown)});
}

std::string ResolveInstance(const http::Request& request, const monitor::Monitor& monitor,
                            const std::optional<std::string>& from_body, std::optional<http::Response>& refusal) {
  std::string asked = from_body ? *from_body : request.Query("instance").value_or("");
  base::Result<std::string> id = monitor.Resolve(asked);
  if (id.ok()) return *id;
  if (asked.empty()) {
    refusal = http::ErrorResponse(
        request.lang(), 404, "not_found", {"연결된 Redis 서버가 없습니다.", "No server is connected."},
        {"POST /api/v1/monitor/connect로 먼저 연결하세요.", "Connect one first: POST /api/v1/monitor/connect."});
  } else {
    refusal = NotFound(request, "서버", "instance", asked);
  }
  return {};
}

}  // namespace redoubt::api
