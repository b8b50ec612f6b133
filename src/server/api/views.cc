#include "server/api/views.h"

#include "base/clock.h"
#include "base/json.h"
#include "server/alert/alert.h"
#include "server/api/reply.h"
#include "server/diagnose/analysis.h"
#include "server/monitor/instances.h"

namespace redoubt::api {
namespace {

base::Json InfoView(const monitor::InfoFields& info) {
  base::Json view = base::Json::object();
  for (monitor::InfoFields::Field field : info) {
    std::optional<double> number = monitor::ParseNumber(field.value);
    bool plain = number && field.value.back() != '%';
    if (plain) {
      view[std::string(field.name)] = *number;
    } else {
      view[std::string(field.name)] = field.value;
    }
  }
  return view;
}

base::Json AlertCounts(const std::string& instance, const Parts& parts) {
  int warning = 0, critical = 0, silenced = 0;
  for (const alert::Alert& alert : parts.alerts->Firing(instance)) {
    ++(alert.silenced() ? silenced : alert.severity == alert::Severity::kCritical ? critical : warning);
  }
  return {{"warning", warning}, {"critical", critical}, {"silenced", silenced}};
}

}  // namespace

base::Json SampleView(const monitor::Sample& sample, bool all_info) {
  base::Json view = {{"instance", sample.instance},
                     {"at", base::FormatUtcMillis(sample.at_ms)},
                     {"at_ms", sample.at_ms},
                     {"reachable", sample.reachable},
                     {"error", OrNull(sample.error)}};
  view.update(monitor::MetricsOf(sample));
  if (all_info) view["info"] = InfoView(sample.info);
  return view;
}

base::Json ServerView(const monitor::ServerFacts& server) {
  return {{"engine", server.engine.empty() ? "unknown" : server.engine},
          {"version", OrNull(server.version)},
          {"role", OrNull(server.role)},
          {"mode", OrNull(server.mode)}};
}

base::Json CapabilitiesView(const monitor::Capabilities& capabilities, base::Lang lang) {
  base::Json view = base::Json::array();
  for (const monitor::Capability& capability : capabilities.list) {
    base::Json costs = base::Json::array();
    for (const base::LocalText& cost : capability.costs) costs.push_back(cost.In(lang));
    view.push_back({{"name", capability.name},
                    {"state", monitor::CapabilityStateName(capability.state)},
                    {"costs", std::move(costs)}});
  }
  return view;
}

base::Json InstanceView(const monitor::InstanceStatus& status, const Parts& parts, base::Lang lang) {
  const monitor::InstanceConfig& config = status.config;
  return {{"id", config.id},
          {"name", config.name},
          {"host", config.connect.host},
          {"port", config.connect.port},
          {"tls", config.connect.tls.has_value()},
          {"username", OrNull(config.connect.username)},
          {"state", monitor::InstanceStateName(status.state)},
          {"running", config.running},
          {"interval", config.interval_s},
          {"error", OrNull(status.error)},
          {"last_sample_at", TimeOrNull(status.last_sample_at_ms)},
          {"server", ServerView(status.server)},
          {"capabilities", CapabilitiesView(status.capabilities, lang)},
          {"test_faults", config.test_faults},
          {"demo", config.demo},
          {"alerts", AlertCounts(config.id, parts)}};
}

base::Json StatusView(const Parts& parts, base::Lang lang) {
  base::Json instances = base::Json::array();
  for (const monitor::InstanceStatus& status : parts.monitor->Instances()) {
    instances.push_back(InstanceView(status, parts, lang));
  }
  base::Json first = instances.empty() ? base::Json() : instances[0]["id"];
  return {{"instances", std::move(instances)},
          {"default", std::move(first)},
          {"now", base::FormatUtcMillis(parts.clock->WallMillis())}};
}

base::Json AnalysisRowView(const diagnose::Analysis& analysis) {
  return {{"id", analysis.id},
          {"created_at", base::FormatUtcMillis(analysis.created_at_ms)},
          {"headline", analysis.main.headline},
          {"severity", analysis.main.severity},
          {"category", analysis.main.category},
          {"failure_mode", analysis.main.failure_mode},
          {"confidence", analysis.main.confidence},
          {"state", analysis.main.state},
          {"instance", OrNull(analysis.instance)},
          {"lang", base::LangTag(analysis.lang)}};
}

}  // namespace redoubt::api
