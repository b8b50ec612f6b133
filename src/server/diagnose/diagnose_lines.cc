// Reads requests, one JSON object per line ({"log_text", "metrics", "lang"}), and writes the replies, one per line.
// For bench/flow/incidents_eval.py and for support bundles; the service itself answers over HTTP.
#include <chrono>
#include <iostream>

#include "base/json.h"
#include "server/diagnose/analyzer.h"
#include "server/diagnose/guard.h"
#include "server/kb/knowledge_base.h"

int main(int argc, char** argv) {
  using namespace redoubt;
  std::ios::sync_with_stdio(false);
  std::string dir = argc > 1 ? argv[1] : "knowledge";
  auto knowledge = kb::KnowledgeBase::Open({dir, nullptr, {}, {}});
  if (!knowledge.ok()) {
    std::cerr << knowledge.status().message() << "\n";
    return 1;
  }
  for (const std::string& line : (*knowledge)->report().lines) std::cerr << line << "\n";
  std::cerr << (*knowledge)->report().Summary(base::Lang::kEn) << "\n";
  auto guard = diagnose::Guard::Load(dir + "/guard.json");
  if (!guard.ok()) {
    std::cerr << guard.status().message() << "\n";
    return 1;
  }
  base::SystemClock clock;
  diagnose::Analyzer analyzer({knowledge->get(), &*guard, &clock, nullptr});
  std::string line;
  while (std::getline(std::cin, line)) {
    auto json = base::ParseJson(line);
    if (!json.ok() || !json->is_object()) {
      std::cout << R"({"error": "not a JSON object"})" << std::endl;
      continue;
    }
    diagnose::AnalysisRequest request;
    if (json->contains("log_text") && (*json)["log_text"].is_string()) request.log_text = (*json)["log_text"];
    if (json->contains("metrics")) request.metrics = std::make_shared<const base::Json>((*json)["metrics"]);
    if (json->contains("lang"))
      request.lang = base::ParseLang((*json)["lang"].get<std::string>()).value_or(base::Lang::kKo);
    auto begin = std::chrono::steady_clock::now();
    auto analysis = analyzer.Analyze(request);
    double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    if (!analysis.ok()) {
      std::cout << base::DumpJson(base::Json{{"error", analysis.status().message()}}) << std::endl;
      continue;
    }
    base::Json reply = diagnose::ToJson(*analysis, true);
    reply["took_ms"] = ms;
    std::cout << base::DumpJson(reply) << std::endl;
  }
}
