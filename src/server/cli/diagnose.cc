#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/clock.h"
#include "base/json.h"
#include "server/api/version.h"
#include "server/cli/commands.h"
#include "server/cli/markdown.h"
#include "server/config/locations.h"
#include "server/diagnose/analyzer.h"
#include "server/diagnose/guard.h"
#include "server/kb/knowledge_base.h"

namespace redoubt::cli {
namespace {

// The end of a stream that may be long: what happened last matters most.
std::string ReadEnd(std::istream& input) {
  std::string text;
  char block[65536];
  while (input.read(block, sizeof block) || input.gcount() > 0) {
    text.append(block, static_cast<size_t>(input.gcount()));
    if (text.size() > 2 * api::kMaxLogTextBytes) text.erase(0, text.size() - api::kMaxLogTextBytes);
  }
  if (text.size() <= api::kMaxLogTextBytes) return text;
  text.erase(0, text.size() - api::kMaxLogTextBytes);
  size_t line_end = text.find('\n');
  return line_end == std::string::npos ? text : text.substr(line_end + 1);
}

base::Result<std::string> ReadFileEnd(const std::string& path) {
  if (path == "-") return ReadEnd(std::cin);
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::NotFound(fmt::format("cannot read {}", path));
  file.seekg(0, std::ios::end);
  auto size = static_cast<int64_t>(file.tellg());
  int64_t from = size - static_cast<int64_t>(api::kMaxLogTextBytes);
  if (from > 0) fmt::print(stderr, "redoubt: {} is large, reading its last {} bytes\n", path, api::kMaxLogTextBytes);
  file.clear();
  file.seekg(from > 0 ? from : 0);
  return ReadEnd(file);
}

base::Lang ChooseLang(const std::string& asked) {
  if (auto lang = base::ParseLang(asked)) return *lang;
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (!value || !*value) continue;
    if (auto lang = base::ParseLang(value)) return *lang;
  }
  return base::Lang::kKo;
}

// JSON becomes metrics; anything else is INFO text and joins the log.
base::Status AddMetrics(const std::string& path, diagnose::AnalysisRequest& request) {
  ASSIGN_OR_RETURN(std::string text, ReadFileEnd(path));
  size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '{') {
    request.log_text += (request.log_text.empty() ? "" : "\n") + text;
    return base::OkStatus();
  }
  ASSIGN_OR_RETURN(base::Json metrics, base::ParseJson(text));
  request.metrics = std::make_shared<base::Json>(std::move(metrics));
  return base::OkStatus();
}

base::Result<diagnose::Analysis> Analyze(const config::Settings& settings, const DiagnoseOptions& options,
                                         base::Lang lang) {
  diagnose::AnalysisRequest request;
  request.lang = lang;
  if (!options.log_file.empty()) {
    ASSIGN_OR_RETURN(request.log_text, ReadFileEnd(options.log_file));
  }
  if (!options.metrics_file.empty()) RETURN_IF_ERROR(AddMetrics(options.metrics_file, request));
  std::string folder = config::FindLocations(settings).knowledge;
  kb::KnowledgeBase::Deps deps;
  deps.dir = folder;
  ASSIGN_OR_RETURN(std::unique_ptr<kb::KnowledgeBase> knowledge, kb::KnowledgeBase::Open(std::move(deps)));
  ASSIGN_OR_RETURN(diagnose::Guard guard, diagnose::Guard::Load(folder + "/guard.json"));
  base::SystemClock clock;
  diagnose::Analyzer::Deps parts;
  parts.knowledge = knowledge.get();
  parts.guard = &guard;
  parts.clock = &clock;
  return diagnose::Analyzer(parts).Analyze(request);
}

}  // namespace

int Diagnose(const config::Settings& settings, const DiagnoseOptions& options) {
  if (options.log_file.empty() && options.metrics_file.empty()) {
    return Complain("nothing to diagnose: give --log FILE (or --log - for standard input) or --metrics FILE");
  }
  base::Lang lang = ChooseLang(options.lang);
  base::Result<diagnose::Analysis> analysis = Analyze(settings, options, lang);
  if (!analysis.ok()) return Complain(analysis.status().message());
  base::Json json = diagnose::ToJson(*analysis, options.debug);
  fmt::print("{}\n", options.json ? base::DumpJson(json, 2) : AnalysisMarkdown(json, lang));
  return 0;
}

}  // namespace redoubt::cli
