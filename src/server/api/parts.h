#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json_fwd.h"
#include "base/log.h"
#include "base/result.h"

namespace redoubt::alert {
class AlertEngine;
}
namespace redoubt::base {
class ThreadPool;
}
namespace redoubt::diagnose {
class Analyzer;
class AnalysisStore;
}  // namespace redoubt::diagnose
namespace redoubt::history {
class History;
}
namespace redoubt::http {
class AccessPolicy;
class EventHub;
class Router;
class Stats;
struct Request;
struct Response;
}  // namespace redoubt::http
namespace redoubt::kb {
class KnowledgeBase;
}
namespace redoubt::lab {
class Lab;
}
namespace redoubt::monitor {
class Monitor;
}

namespace redoubt::api {

class DemoServer;

// What the routes work with; built by main.cc, outlives the server.
struct Parts {
  const base::Clock* clock = nullptr;
  base::Logger logger;
  const http::AccessPolicy* access = nullptr;
  http::EventHub* events = nullptr;
  http::Stats* stats = nullptr;
  monitor::Monitor* monitor = nullptr;
  history::History* history = nullptr;
  alert::AlertEngine* alerts = nullptr;
  lab::Lab* lab = nullptr;
  kb::KnowledgeBase* knowledge = nullptr;
  const diagnose::Analyzer* analyzer = nullptr;
  diagnose::AnalysisStore* analyses = nullptr;
  DemoServer* demo = nullptr;
  base::ThreadPool* narrators = nullptr;  // threads that wait for the language model; null without one

  std::string llm;                                           // "provider/model"; empty: none
  std::string embedding_model;                               // empty: keyword retrieval
  std::function<bool()> resumed;                             // what was watched before the restart is taken up again
  std::function<bool()> vectors_ready;                       // the entries' vectors are there
  std::function<base::Status()> database_check;              // OK while the database answers
  std::function<http::Response(const http::Request&)> docs;  // the browsable form of openapi.json
  std::vector<std::string> allowed_faults;                   // "host:port", as --allow-test-faults lists them
  size_t max_log_bytes = 0;
};

// Registers every route of openapi.json. `parts` outlives the router.
void RegisterRoutes(http::Router& router, const Parts& parts);

// One per resource, each in the file of its name.
void RegisterAlerts(http::Router& router, const Parts& parts);
void RegisterAnalyses(http::Router& router, const Parts& parts);
void RegisterDemo(http::Router& router, const Parts& parts);
void RegisterFaults(http::Router& router, const Parts& parts);
void RegisterInstances(http::Router& router, const Parts& parts);
void RegisterKnowledge(http::Router& router, const Parts& parts);
void RegisterMetrics(http::Router& router, const Parts& parts);
void RegisterOperations(http::Router& router, const Parts& parts);
void RegisterSearch(http::Router& router, const Parts& parts);
void RegisterSession(http::Router& router, const Parts& parts);
void RegisterSilences(http::Router& router, const Parts& parts);
void RegisterStream(http::Router& router, const Parts& parts);
void RegisterThresholds(http::Router& router, const Parts& parts);

}  // namespace redoubt::api
