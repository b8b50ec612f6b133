#include "server/alert/thresholds.h"

#include <algorithm>

#include "base/json.h"
#include "server/alert/alert.h"
#include "server/alert/rule.h"
#include "server/api/fields.h"
#include "server/api/parts.h"
#include "server/api/reply.h"
#include "server/http/router.h"

namespace redoubt::api {
namespace {

http::Response View(const http::Request& request, const Parts& parts, const std::string& instance) {
  alert::Thresholds thresholds = parts.alerts->ThresholdsOf(instance);
  return Ok(
      {{"instance", instance}, {"rules", alert::ThresholdsView(parts.alerts->rules(), thresholds, request.lang())}});
}

http::Response Show(const http::Request& request, const Parts& parts) {
  std::optional<http::Response> refusal;
  std::string instance = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  return refusal ? *refusal : View(request, parts, instance);
}

http::Response Set(const http::Request& request, const Parts& parts) {
  Body body(request);
  std::optional<std::string> asked = body.Text("instance", 100);
  const base::Json* rules = body.Any("rules");
  if (!rules) {
    body.Fail({"'rules' 필드는 반드시 있어야 합니다.", "Field 'rules' is required."},
              {"예: {\"rules\": {\"memory_usage\": {\"warning\": 70}}}",
               "For example {\"rules\": {\"memory_usage\": {\"warning\": 70}}}"});
  }
  alert::ThresholdsRead read;
  if (rules) read = alert::ReadThresholds(parts.alerts->rules(), *rules);
  if (read.fault) body.Fail(read.fault->message, read.fault->hint);
  std::optional<http::Response> refusal = body.Refusal();
  if (refusal) return *refusal;
  std::string instance = ResolveInstance(request, *parts.monitor, asked, refusal);
  if (refusal) return *refusal;
  if (base::Status set = parts.alerts->SetThresholds(instance, read.thresholds); !set.ok()) return Fail(request, set);
  return View(request, parts, instance);
}

http::Response Reset(const http::Request& request, const Parts& parts) {
  Query query(request);
  std::optional<std::string> rule = query.Text("rule", 100);
  alert::ThresholdsRead read;
  if (rule) read = alert::ReadThresholds(parts.alerts->rules(), base::Json{{*rule, nullptr}});
  if (read.fault) query.Fail(read.fault->message, read.fault->hint);
  std::optional<http::Response> refusal = query.Refusal();
  if (refusal) return *refusal;
  std::string instance = ResolveInstance(request, *parts.monitor, std::nullopt, refusal);
  if (refusal) return *refusal;
  base::Status reset =
      rule ? parts.alerts->SetThresholds(instance, read.thresholds) : parts.alerts->ResetThresholds(instance);
  if (!reset.ok()) return Fail(request, reset);
  return View(request, parts, instance);
}

}  // namespace

void RegisterThresholds(http::Router& router, const Parts& parts) {
  router.Add("GET", "/api/v1/monitor/thresholds", [&parts](const http::Request& r) { return Show(r, parts); },
             {.query = "instance"});
  router.Add("PUT", "/api/v1/monitor/thresholds", [&parts](const http::Request& r) { return Set(r, parts); },
             {.query = "instance"});
  router.Add("DELETE", "/api/v1/monitor/thresholds", [&parts](const http::Request& r) { return Reset(r, parts); },
             {.query = "instance rule"});
}

}  // namespace redoubt::api
