#include "server/api/publish.h"

#include <functional>

#include "base/json.h"
#include "base/lang.h"
#include "server/alert/alert.h"
#include "server/api/views.h"
#include "server/diagnose/analysis.h"
#include "server/http/event_hub.h"
#include "server/lab/lab.h"
#include "server/monitor/instances.h"

namespace redoubt::api {
namespace {

void InBothLanguages(const Parts& parts, std::string_view name, const std::string& instance,
                     const std::function<base::Json(base::Lang)>& view) {
  if (parts.events->open_streams() == 0) return;
  for (base::Lang lang : {base::Lang::kKo, base::Lang::kEn}) {
    parts.events->Publish(name, base::DumpJson(view(lang)), instance, base::LangTag(lang));
  }
}

}  // namespace

void PublishSample(const Parts& parts, const monitor::Sample& sample) {
  if (parts.events->open_streams() == 0) return;
  parts.events->Publish("sample", base::DumpJson(SampleView(sample, false)), sample.instance);
}

void PublishAlert(const Parts& parts, const alert::AlertEvent& event) {
  InBothLanguages(parts, "alert", event.alert.instance, [&](base::Lang lang) -> base::Json {
    return {{"change", alert::ChangeName(event.change)}, {"alert", alert::ToJson(event.alert, lang)}};
  });
}

void PublishAnalysis(const Parts& parts, const diagnose::Analysis& analysis) {
  parts.events->Publish("analysis", base::DumpJson(base::Json{{"analysis", AnalysisRowView(analysis)}}),
                        analysis.instance);
}

void PublishInstance(const Parts& parts, const std::string& instance) {
  InBothLanguages(parts, "instance", instance, [&](base::Lang lang) -> base::Json {
    std::optional<monitor::InstanceStatus> status = parts.monitor->Instance(instance);
    return {{"change", status ? "changed" : "disconnected"},
            {"instance", instance},
            {"status", status ? InstanceView(*status, parts, lang) : base::Json()}};
  });
}

void PublishFault(const Parts& parts, const lab::Fault& fault) {
  InBothLanguages(parts, "fault", fault.instance, [&](base::Lang lang) -> base::Json {
    return {{"fault", lab::ToJson(fault, lang)}};
  });
}

}  // namespace redoubt::api
