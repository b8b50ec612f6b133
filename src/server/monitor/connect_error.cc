#include "server/monitor/connect_error.h"

#include <fmt/core.h>

#include <algorithm>

namespace redoubt::monitor {

using base::LocalText;
using resp::ConnectFailure;

namespace {

LocalText Hint(std::string ko, std::string en) { return {std::move(ko), std::move(en)}; }

// A plain server waits for the end of a "command" when it is greeted with TLS, so that only a timeout shows.
bool AnswersInPlain(resp::ConnectOptions options) {
  options.tls.reset();
  options.username.clear();
  options.password.clear();  // never in the clear to a port that was said to be TLS
  options.connect_timeout_ms = 500;
  options.command_timeout_ms = 500;
  ConnectFailure failure = ConnectFailure::kClosed;
  if (resp::Client::Connect(options, &failure).ok()) return true;
  return failure == ConnectFailure::kAuthNeeded;
}

ConnectError Tls(const std::string& address, const base::Status& reason) {
  return {ProbeFailure::kTls,
          "redis_tls_failed",
          502,
          {fmt::format("{} 서버와 TLS 연결을 맺지 못했습니다: {}", address, reason.message()),
           fmt::format("TLS with {} failed: {}", address, reason.message())},
          Hint("CA 인증서, 클라이언트 인증서, 서버 이름이 맞는지 확인하세요. 사설 CA라면 tls.ca에 넣으세요.",
               "Check the CA, the client certificate and the server name; a private CA goes into tls.ca.")};
}

ConnectError PlainServer(const std::string& address) {
  return {ProbeFailure::kTls,
          "redis_tls_failed",
          502,
          {fmt::format("{} 포트는 TLS가 아닌 일반 Redis로 응답합니다", address),
           fmt::format("{} answers as plain Redis, not with TLS", address)},
          Hint("TLS를 끄거나 서버의 tls-port를 지정하세요.", "Switch TLS off, or give the server's tls-port.")};
}

ConnectError Timeout(const std::string& address, const resp::ConnectOptions& options) {
  int waited_ms = std::max(options.connect_timeout_ms, options.command_timeout_ms);
  return {ProbeFailure::kTimeout,
          "redis_timeout",
          504,
          {fmt::format("{} 서버가 {}초 안에 응답하지 않았습니다", address, waited_ms / 1000.0),
           fmt::format("{} did not answer within {} s", address, waited_ms / 1000.0)},
          Hint("방화벽과 보안 그룹, 주소를 확인하고 서버가 멈춰 있는지(긴 명령, 스왑) 확인하세요.",
               "Check firewalls, security groups and the address, and whether the server hangs (long command, swap).")};
}

ConnectError Closed(const std::string& address) {
  return {ProbeFailure::kClosed,
          "redis_closed",
          502,
          {fmt::format("{} 서버가 인사 도중 연결을 끊었습니다", address),
           fmt::format("{} closed the connection while greeting", address)},
          Hint("TLS 전용 포트일 수 있습니다. TLS를 켜고 다시 시도하세요.",
               "It may be a TLS-only port: try again with TLS on.")};
}

}  // namespace

ProbeFailure ToProbeFailure(ConnectFailure failure) {
  switch (failure) {
    case ConnectFailure::kRefused:
    case ConnectFailure::kUnreachable:
      return ProbeFailure::kRefused;
    case ConnectFailure::kTimeout:
      return ProbeFailure::kTimeout;
    case ConnectFailure::kUnknownHost:
      return ProbeFailure::kUnknownHost;
    case ConnectFailure::kAuthNeeded:
    case ConnectFailure::kAuthFailed:
      return ProbeFailure::kAuth;
    case ConnectFailure::kTls:
      return ProbeFailure::kTls;
    case ConnectFailure::kNotRedis:
      return ProbeFailure::kNotRedis;
    case ConnectFailure::kMaxClients:
      return ProbeFailure::kMaxClients;
    case ConnectFailure::kProtected:
      return ProbeFailure::kPermission;
    case ConnectFailure::kClosed:
      return ProbeFailure::kClosed;
    case ConnectFailure::kBadOptions:
      return ProbeFailure::kOther;
  }
  return ProbeFailure::kOther;
}

ConnectError ExplainConnectFailure(ConnectFailure failure, const base::Status& reason,
                                   const resp::ConnectOptions& options) {
  const std::string address = resp::Address(options);
  switch (failure) {
    case ConnectFailure::kRefused:
      return {ProbeFailure::kRefused,
              "redis_refused",
              502,
              {fmt::format("{} 연결이 거부되었습니다", address), fmt::format("{} refused the connection", address)},
              Hint("서버가 떠 있는지, 포트와 bind 설정이 맞는지 확인하세요.",
                   "Check that the server runs and that port and bind are right.")};
    case ConnectFailure::kUnreachable:
      return {ProbeFailure::kRefused,
              "redis_unreachable",
              502,
              {fmt::format("{} 까지 경로가 없습니다: {}", address, reason.message()),
               fmt::format("{} cannot be reached: {}", address, reason.message())},
              Hint("네트워크와 라우팅, 방화벽을 확인하세요.", "Check network, routes and firewalls.")};
    case ConnectFailure::kTimeout:
      if (options.tls && AnswersInPlain(options)) return PlainServer(address);
      return Timeout(address, options);
    case ConnectFailure::kUnknownHost:
      return {ProbeFailure::kUnknownHost,
              "redis_unknown_host",
              502,
              {fmt::format("호스트 이름 '{}'을(를) 찾을 수 없습니다", options.host),
               fmt::format("host '{}' does not resolve", options.host)},
              Hint("이름의 철자와 DNS를 확인하세요.", "Check the spelling and the DNS.")};
    case ConnectFailure::kAuthNeeded:
      return {ProbeFailure::kAuth,
              "redis_auth_required",
              401,
              {fmt::format("{} 서버는 비밀번호가 필요합니다", address), fmt::format("{} needs a password", address)},
              Hint("비밀번호(ACL을 쓰면 사용자 이름도)를 입력하세요.", "Give a password, and a username with ACL.")};
    case ConnectFailure::kAuthFailed:
      return {ProbeFailure::kAuth,
              "redis_auth_failed",
              401,
              {fmt::format("{} 서버가 사용자 이름 또는 비밀번호를 거부했습니다", address),
               fmt::format("{} refused the username or password", address)},
              Hint("requirepass 또는 ACL 사용자의 비밀번호를 확인하세요.",
                   "Check requirepass or the ACL user's password.")};
    case ConnectFailure::kTls:
      if (options.tls && AnswersInPlain(options)) return PlainServer(address);
      return Tls(address, reason);
    case ConnectFailure::kNotRedis:
      return {ProbeFailure::kNotRedis,
              "redis_not_redis",
              502,
              {fmt::format("{} 에서 응답한 것은 Redis가 아닙니다", address),
               fmt::format("what answers at {} is not a Redis", address)},
              Hint("포트를 확인하세요. TLS 전용 포트라면 TLS를 켜세요.",
                   "Check the port; switch TLS on for a TLS-only one.")};
    case ConnectFailure::kMaxClients:
      return {ProbeFailure::kMaxClients,
              "redis_max_clients",
              502,
              {fmt::format("{} 서버가 최대 클라이언트 수에 도달해 연결을 거부했습니다", address),
               fmt::format("{} is at maxclients and refused the connection", address)},
              Hint("쓰지 않는 연결을 줄이거나 maxclients를 올린 뒤 다시 시도하세요.",
                   "Close unused connections or raise maxclients, then try again.")};
    case ConnectFailure::kProtected:
      return {ProbeFailure::kPermission,
              "redis_protected_mode",
              502,
              {fmt::format("{} 서버가 보호 모드라서 다른 장비의 연결을 받지 않습니다", address),
               fmt::format("{} runs in protected mode and refuses other machines", address)},
              Hint("서버에 비밀번호를 설정하고 bind를 지정하세요. 보호 모드만 끄지 마세요.",
                   "Set a password and bind on the server; do not merely switch protected mode off.")};
    case ConnectFailure::kClosed:
      return Closed(address);
    case ConnectFailure::kBadOptions:
      return {ProbeFailure::kOther,
              "invalid_argument",
              400,
              {fmt::format("연결 설정이 올바르지 않습니다: {}", reason.message()),
               fmt::format("the connection settings cannot be right: {}", reason.message())},
              Hint("host, port, tls 값을 확인하세요.", "Check host, port and tls.")};
  }
  return Closed(address);
}

ConnectError ExplainSentinel(const resp::ConnectOptions& options) {
  const std::string address = resp::Address(options);
  return {ProbeFailure::kSentinel,
          "redis_is_sentinel",
          502,
          {fmt::format("{} 는 Redis가 아니라 Sentinel입니다", address),
           fmt::format("{} is a Sentinel, not a Redis", address)},
          Hint("Sentinel이 감시하는 마스터(primary)의 주소를 입력하세요. SENTINEL get-master-addr-by-name 으로 확인할 "
               "수 있습니다.",
               "Give the address of the primary that it watches: SENTINEL get-master-addr-by-name tells it.")};
}

}  // namespace redoubt::monitor
