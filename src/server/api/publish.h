#pragma once

#include <string>

#include "server/api/parts.h"

namespace redoubt::alert {
struct AlertEvent;
}
namespace redoubt::diagnose {
struct Analysis;
}
namespace redoubt::lab {
struct Fault;
}
namespace redoubt::monitor {
struct Sample;
}

namespace redoubt::api {

// The events of /monitor/stream; texts go out once per language. Any thread.
void PublishSample(const Parts& parts, const monitor::Sample& sample);
void PublishAlert(const Parts& parts, const alert::AlertEvent& event);
void PublishAnalysis(const Parts& parts, const diagnose::Analysis& analysis);
void PublishInstance(const Parts& parts, const std::string& instance);
void PublishFault(const Parts& parts, const lab::Fault& fault);

}  // namespace redoubt::api
