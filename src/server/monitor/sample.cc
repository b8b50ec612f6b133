#include "server/monitor/sample.h"

namespace redoubt::monitor {

std::string_view ProbeFailureName(ProbeFailure failure) {
  switch (failure) {
    case ProbeFailure::kNone:
      return "none";
    case ProbeFailure::kRefused:
      return "refused";
    case ProbeFailure::kTimeout:
      return "timeout";
    case ProbeFailure::kUnknownHost:
      return "unknown_host";
    case ProbeFailure::kAuth:
      return "auth";
    case ProbeFailure::kPermission:
      return "permission";
    case ProbeFailure::kTls:
      return "tls";
    case ProbeFailure::kNotRedis:
      return "not_redis";
    case ProbeFailure::kSentinel:
      return "sentinel";
    case ProbeFailure::kMaxClients:
      return "max_clients";
    case ProbeFailure::kBusy:
      return "busy";
    case ProbeFailure::kClosed:
      return "closed";
    case ProbeFailure::kOther:
      return "other";
  }
  return "other";
}

}  // namespace redoubt::monitor
