#include "server/api/parts.h"

namespace redoubt::api {

void RegisterRoutes(http::Router& router, const Parts& parts) {
  RegisterOperations(router, parts);
  RegisterSession(router, parts);
  RegisterAnalyses(router, parts);
  RegisterKnowledge(router, parts);
  RegisterSearch(router, parts);
  RegisterInstances(router, parts);
  RegisterMetrics(router, parts);
  RegisterAlerts(router, parts);
  RegisterSilences(router, parts);
  RegisterThresholds(router, parts);
  RegisterStream(router, parts);
  RegisterFaults(router, parts);
  RegisterDemo(router, parts);
}

}  // namespace redoubt::api
