#pragma once

#include <string>

#include "base/json_fwd.h"
#include "base/lang.h"
#include "server/api/parts.h"

namespace redoubt::diagnose {
struct Analysis;
}
namespace redoubt::monitor {
struct InstanceStatus;
struct Sample;
struct ServerFacts;
struct Capabilities;
}  // namespace redoubt::monitor

namespace redoubt::api {

// The schemas of openapi.json that replies and events share.
base::Json SampleView(const monitor::Sample& sample, bool all_info);
base::Json InstanceView(const monitor::InstanceStatus& status, const Parts& parts, base::Lang lang);
base::Json ServerView(const monitor::ServerFacts& server);
base::Json CapabilitiesView(const monitor::Capabilities& capabilities, base::Lang lang);
base::Json StatusView(const Parts& parts, base::Lang lang);  // every instance
base::Json AnalysisRowView(const diagnose::Analysis& analysis);

}  // namespace redoubt::api
