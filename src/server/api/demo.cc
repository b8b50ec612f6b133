#include "base/json.h"
#include "server/alert/alert.h"
#include "server/api/demo_server.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/publish.h"
#include "server/api/reply.h"
#include "server/http/router.h"
#include "server/lab/lab.h"
#include "server/monitor/instances.h"

namespace redoubt::api {
namespace {

constexpr const char* kDemoName = "demo";

std::string DemoInstance(const Parts& parts) {
  for (const monitor::InstanceStatus& status : parts.monitor->Instances()) {
    if (status.config.demo) return status.config.id;
  }
  return {};
}

http::Response State(const http::Request& request, const Parts& parts) {
  std::optional<DemoServer::Running> running = parts.demo->running();
  base::LocalText message = running
                                ? base::LocalText{"데모 서버가 실행 중입니다.", "The demo server is running."}
                                : base::LocalText{"데모 서버가 실행 중이 아닙니다.", "The demo server is not running."};
  return Ok({{"status", running ? "running" : "stopped"},
             {"instance", OrNull(DemoInstance(parts))},
             {"host", running ? base::Json("127.0.0.1") : base::Json()},
             {"port", running ? base::Json(running->port) : base::Json()},
             {"maxmemory", running ? base::Json(running->maxmemory_bytes) : base::Json()},
             {"message", message.In(request.lang())}});
}

// Forgets the watched demo; its server is gone or about to go.
void Leave(const Parts& parts) {
  std::string id = DemoInstance(parts);
  if (id.empty()) return;
  (void)parts.lab->Cleanup(id);
  (void)parts.monitor->Disconnect(id);
  for (const alert::AlertEvent& event : parts.alerts->Forget(id)) PublishAlert(parts, event);
}

http::Response Start(const http::Request& request, const Parts& parts) {
  Body body(request, false);
  int maxmemory_mb = static_cast<int>(body.Int("maxmemory_mb", 32, 64).value_or(50));
  int interval =
      static_cast<int>(body.Int("interval", monitor::kMinIntervalSeconds, monitor::kMaxIntervalSeconds).value_or(1));
  if (auto refusal = body.Refusal()) return *refusal;
  if (parts.demo->running() && !DemoInstance(parts).empty()) return State(request, parts);
  Leave(parts);  // one that crashed
  base::Result<DemoServer::Running> running = parts.demo->Start(maxmemory_mb);
  if (!running.ok()) {
    return http::ErrorResponse(
        request.lang(), 503, "unavailable",
        {"데모 서버를 시작하지 못했습니다: " + running.status().message(), running.status().message()},
        {"redis-server를 설치하거나 --demo-redis로 지정하세요.",
         "Install redis-server, or name one with --demo-redis."});
  }
  monitor::InstanceConfig config;
  config.name = kDemoName;
  config.connect.port = running->port;
  config.test_faults = true;
  config.demo = true;
  config.interval_s = interval;
  base::Result<monitor::ConnectResult> connected = parts.monitor->Connect(config);
  if (!connected.ok() || connected->error) {
    parts.demo->Stop();
    if (!connected.ok()) return Fail(request, connected.status());
    return http::ErrorResponse(request.lang(), 503, connected->error->code, connected->error->message,
                               connected->error->hint);
  }
  return State(request, parts);
}

http::Response Stop(const http::Request& request, const Parts& parts) {
  Leave(parts);
  parts.demo->Stop();
  return State(request, parts);
}

}  // namespace

void RegisterDemo(http::Router& router, const Parts& parts) {
  constexpr http::RouteOptions kSlow{.lane = http::Lane::kSlow};
  router.Add(
      "GET", "/api/v1/monitor/demo", [&parts](const http::Request& r) { return State(r, parts); }, kSlow);
  router.Add(
      "POST", "/api/v1/monitor/demo", [&parts](const http::Request& r) { return Start(r, parts); }, kSlow);
  router.Add(
      "DELETE", "/api/v1/monitor/demo", [&parts](const http::Request& r) { return Stop(r, parts); }, kSlow);
}

}  // namespace redoubt::api
