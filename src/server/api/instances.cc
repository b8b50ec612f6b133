#include "server/monitor/instances.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "server/alert/alert.h"
#include "server/api/demo_server.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/publish.h"
#include "server/api/reply.h"
#include "server/api/views.h"
#include "server/http/router.h"
#include "server/lab/lab.h"

namespace redoubt::api {
namespace {

constexpr size_t kMaxPemBytes = 65536;

void ReadTls(Body& body, resp::ConnectOptions& connect) {
  const base::Json* tls = body.Any("tls");
  if (!tls || tls->is_null()) return;
  if (tls->is_boolean()) {
    if (tls->get<bool>()) connect.tls.emplace();
    return;
  }
  if (!tls->is_object()) {
    body.Fail({"'tls' 필드는 true 또는 객체여야 합니다.", "Field 'tls' must be true or an object."});
    return;
  }
  resp::TlsOptions options;
  for (const auto& [name, value] : tls->items()) {
    std::string* text = name == "ca"            ? &options.ca
                        : name == "cert"        ? &options.cert
                        : name == "key"         ? &options.key
                        : name == "server_name" ? &options.server_name
                                                : nullptr;
    if (text && value.is_string() && value.get_ref<const std::string&>().size() <= kMaxPemBytes) {
      *text = value.get<std::string>();
    } else if (name == "insecure_skip_verify" && value.is_boolean()) {
      options.insecure_skip_verify = value.get<bool>();
    } else {
      std::string shown = name.substr(0, 100);
      body.Fail({fmt::format("'tls.{}' 필드가 없거나 값의 형식이 다릅니다.", shown),
                 fmt::format("There is no field 'tls.{}', or its value has another type.", shown)},
                {"ca, cert, key, server_name, insecure_skip_verify를 쓸 수 있습니다.",
                 "It takes ca, cert, key, server_name and insecure_skip_verify."});
    }
  }
  connect.tls = std::move(options);
}

// Sentinel and Cluster forms are reserved: known, and answered as not there yet.
bool AsksForReservedForm(Body& body) {
  bool asked = false;
  for (const char* name : {"sentinels", "master_name", "cluster_seeds"}) {
    const base::Json* value = body.Any(name);
    asked = asked || (value && !value->is_null());
  }
  return asked;
}

resp::ConnectOptions ReadAddress(Body& body) {
  resp::ConnectOptions connect;
  std::optional<std::string> url = body.Text("url", 2048);
  std::optional<std::string> host = body.Text("host", 253);
  std::optional<int64_t> port = body.Int("port", 1, 65535);
  if (url) {
    base::Result<resp::ConnectOptions> parsed = resp::ParseRedisUrl(*url);
    if (parsed.ok()) {
      connect = std::move(*parsed);
    } else {
      body.Fail({fmt::format("'url' 필드가 올바르지 않습니다: {}", parsed.status().message()),
                 fmt::format("Field 'url' is not valid: {}", parsed.status().message())});
    }
    if (host || port) body.Fail({"'url'과 'host'/'port'는 함께 쓸 수 없습니다.", "'url' excludes 'host' and 'port'."});
  } else if (host && !host->empty()) {
    connect.host = *host;
    connect.port = static_cast<int>(port.value_or(6379));
  } else {
    body.Fail({"'host' 또는 'url'이 필요합니다.", "'host' or 'url' is needed."});
  }
  if (auto username = body.Text("username", 256)) connect.username = *username;
  if (auto password = body.Text("password", 4096)) connect.password = *password;
  ReadTls(body, connect);
  return connect;
}

bool FaultsAllowed(const resp::ConnectOptions& connect, const Parts& parts) {
  std::string host = connect.host == "localhost" ? "127.0.0.1" : connect.host;
  std::string address = fmt::format("{}:{}", host, connect.port);
  return std::find(parts.allowed_faults.begin(), parts.allowed_faults.end(), address) != parts.allowed_faults.end();
}

http::Response ConnectFailed(const http::Request& request, const monitor::ConnectError& error) {
  return http::ErrorResponse(request.lang(), error.http_status, error.code, error.message, error.hint);
}

http::Response Connected(const http::Request& request, const monitor::ConnectResult& result,
                         const monitor::InstanceConfig& config, bool faults_refused) {
  base::Lang lang = request.lang();
  base::LocalText message{"Redis 서버에 연결되었습니다", "Connected to the Redis server"};
  base::LocalText reason{"이 서버는 --allow-test-faults에 없습니다.",
                         "The server is not listed by --allow-test-faults."};
  return Ok({{"status", "connected"},
             {"host", config.connect.host},
             {"port", config.connect.port},
             {"message", message.In(lang)},
             {"instance", result.instance},
             {"name", result.name},
             {"capabilities", CapabilitiesView(result.capabilities, lang)},
             {"acl", result.capabilities.acl_line},
             {"test_faults", config.test_faults},
             {"test_faults_reason", faults_refused ? base::Json(reason.In(lang)) : base::Json()},
             {"server", ServerView(result.server)}});
}

http::Response Connect(const http::Request& request, const Parts& parts) {
  Body body(request);
  monitor::InstanceConfig config;
  bool reserved = AsksForReservedForm(body);
  if (!reserved) config.connect = ReadAddress(body);
  config.name = body.Text("name", 100).value_or("");
  std::optional<bool> asked = body.Bool("test_faults");
  if (reserved) {
    return http::ErrorResponse(
        request.lang(), 501, "unimplemented",
        {"Sentinel과 Cluster 연결은 아직 지원하지 않습니다.",
         "Connecting by Sentinel or Cluster is not supported yet."},
        {"마스터(primary)의 host와 port로 연결하세요.", "Connect to the primary by its host and port."});
  }
  if (auto refusal = body.Refusal()) return *refusal;
  bool allowed = FaultsAllowed(config.connect, parts);
  config.test_faults = allowed && asked.value_or(true);
  base::Result<monitor::ConnectResult> result = parts.monitor->Connect(config);
  if (!result.ok()) return Fail(request, result.status());
  if (result->error) return ConnectFailed(request, *result->error);
  return Connected(request, *result, config, asked.value_or(false) && !allowed);
}

http::Response Done(const http::Request& request, std::string_view status, const std::string& id,
                    const base::LocalText& message, base::Json interval = nullptr) {
  return Ok({{"status", status},
             {"instance", id},
             {"message", message.In(request.lang())},
             {"interval", std::move(interval)}});
}

http::Response Disconnect(const http::Request& request, const Parts& parts) {
  Body body(request, false);
  std::optional<std::string> asked = body.Text("instance", 100);
  std::optional<http::Response> refusal = body.Refusal();
  if (refusal) return *refusal;
  std::string id = ResolveInstance(request, *parts.monitor, asked, refusal);
  if (refusal) return *refusal;
  std::optional<monitor::InstanceStatus> status = parts.monitor->Instance(id);
  if (status && status->config.test_faults) (void)parts.lab->Cleanup(id);  // nothing of ours stays behind
  if (base::Status gone = parts.monitor->Disconnect(id); !gone.ok()) return Fail(request, gone);
  for (const alert::AlertEvent& event : parts.alerts->Forget(id)) PublishAlert(parts, event);
  if (status && status->config.demo) parts.demo->Stop();
  return Done(request, "disconnected", id,
              {"연결을 끊고 저장된 인증 정보를 지웠습니다.", "Disconnected; the stored credentials are deleted."});
}

http::Response StartPolling(const http::Request& request, const Parts& parts) {
  Body body(request, false);
  int64_t interval = body.Int("interval", monitor::kMinIntervalSeconds, monitor::kMaxIntervalSeconds).value_or(0);
  std::optional<std::string> asked = body.Text("instance", 100);
  std::optional<http::Response> refusal = body.Refusal();
  if (refusal) return *refusal;
  std::string id = ResolveInstance(request, *parts.monitor, asked, refusal);
  if (refusal) return *refusal;
  if (base::Status started = parts.monitor->Start(id, static_cast<int>(interval)); !started.ok())
    return Fail(request, started);
  std::optional<monitor::InstanceStatus> status = parts.monitor->Instance(id);
  int in_force = status ? status->config.interval_s : monitor::kDefaultIntervalSeconds;
  return Done(request, "started", id,
              {fmt::format("{}초 간격으로 모니터링합니다.", in_force), fmt::format("Polling every {} s.", in_force)},
              in_force);
}

http::Response StopPolling(const http::Request& request, const Parts& parts) {
  Body body(request, false);
  std::optional<std::string> asked = body.Text("instance", 100);
  std::optional<http::Response> refusal = body.Refusal();
  if (refusal) return *refusal;
  std::string id = ResolveInstance(request, *parts.monitor, asked, refusal);
  if (refusal) return *refusal;
  if (base::Status stopped = parts.monitor->Stop(id); !stopped.ok()) return Fail(request, stopped);
  return Done(request, "stopped", id, {"모니터링을 멈췄습니다.", "Polling is stopped."});
}

http::Response Status(const http::Request& request, const Parts& parts) {
  base::Json view = StatusView(parts, request.lang());
  if (!request.Query("instance")) return Ok(view);
  std::optional<http::Response> refusal;
  std::string id = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  if (refusal) return *refusal;
  base::Json one = base::Json::array();
  for (base::Json& instance : view["instances"]) {
    if (instance["id"] == id) one.push_back(std::move(instance));
  }
  view["instances"] = std::move(one);
  return Ok(view);
}

}  // namespace

void RegisterInstances(http::Router& router, const Parts& parts) {
  using Lane = http::Lane;
  auto with = [&parts](auto handler) {
    return [&parts, handler](const http::Request& r) { return handler(r, parts); };
  };
  router.Add("POST", "/api/v1/monitor/connect", with(Connect), {.lane = Lane::kSlow});
  router.Add("POST", "/api/v1/monitor/disconnect", with(Disconnect), {.lane = Lane::kSlow, .query = "instance"});
  router.Add("POST", "/api/v1/monitor/start", with(StartPolling), {.query = "instance"});
  router.Add("POST", "/api/v1/monitor/stop", with(StopPolling), {.query = "instance"});
  router.Add("GET", "/api/v1/monitor/status", with(Status), {.query = "instance"});
}

}  // namespace redoubt::api
