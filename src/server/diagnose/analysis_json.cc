#include "base/clock.h"
#include "base/json.h"
#include "server/diagnose/analysis.h"

namespace redoubt::diagnose {
namespace {

using base::Json;

template <class T, class Fn>
Json Array(const std::vector<T>& items, Fn fn) {
  Json out = Json::array();
  for (const T& item : items) out.push_back(fn(item));
  return out;
}

void Optional(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

Json OfEvidence(const Evidence& evidence) {
  Json out = {{"n", evidence.n}, {"source", evidence.source}};
  if (evidence.field.empty()) {
    out["text"] = evidence.text;
  } else {
    out["field"] = evidence.field;
    out["value"] = evidence.value;
    out["threshold"] = evidence.threshold;
  }
  if (evidence.line) out["line"] = *evidence.line;
  Optional(out, "at", evidence.at);
  if (evidence.count > 1) out["count"] = evidence.count;
  out["supports"] = evidence.supports;
  return out;
}

Json OfCommand(const Command& command) {
  Json out = {{"cmd", command.cmd}, {"where", command.where}, {"risk", command.risk}, {"why", command.why}};
  Optional(out, "check_first", command.check_first);
  Optional(out, "undo", command.undo);
  return out;
}

Json OfFinding(const Finding& f) {
  Json out = {{"headline", f.headline},         {"severity", f.severity},     {"category", f.category},
              {"failure_mode", f.failure_mode}, {"confidence", f.confidence}, {"state", f.state}};
  Optional(out, "started_at", f.started_at);
  Optional(out, "ended_at", f.ended_at);
  out["impact"] = {{"writes", f.writes}, {"reads", f.reads}, {"data_at_risk", f.data_at_risk}};
  out["summary"] = f.summary;
  out["root_cause"] = f.root_cause;
  out["chain"] = Array(f.chain, [](const ChainLink& link) {
    Json item = {{"failure_mode", link.failure_mode}};
    Optional(item, "at", link.at);
    item["evidence"] = link.evidence;
    return item;
  });
  out["first_action"] = f.first_action;
  out["immediate_actions"] = f.immediate_actions;
  out["steps"] = Array(f.steps, [](const Step& step) {
    return Json{{"title", step.title}, {"detail", step.detail}, {"commands", step.commands}, {"risk", step.risk}};
  });
  out["prevention"] = f.prevention;
  out["commands"] = Array(f.commands, OfCommand);
  out["do_not"] = Array(f.do_not, [](const DoNot& d) { return Json{{"action", d.action}, {"why", d.why}}; });
  out["verify"] = Array(f.verify, [](const Verify& v) { return Json{{"cmd", v.cmd}, {"expect", v.expect}}; });
  Optional(out, "escalate_if", f.escalate_if);
  out["evidence"] = Array(f.evidence, OfEvidence);
  out["knowledge"] = Array(f.knowledge, [](const KnowledgeRef& ref) {
    return Json{{"id", ref.id}, {"title", ref.title}, {"score", ref.score}, {"why", ref.why}};
  });
  out["alternatives"] = Array(f.alternatives, [](const Alternative& a) {
    return Json{{"failure_mode", a.failure_mode},
                {"confidence", a.confidence},
                {"missing", a.missing},
                {"contradicted_by", a.contradicted_by},
                {"next_check", a.next_check}};
  });
  out["not_seen"] = f.not_seen;
  return out;
}

}  // namespace

Json ToJson(const Analysis& analysis, bool debug) {
  Json out = {{"id", analysis.id}, {"created_at", base::FormatUtcMillis(analysis.created_at_ms)}, {"status", "done"}};
  if (!analysis.instance.empty()) out["instance"] = analysis.instance;
  out["lang"] = std::string(base::LangTag(analysis.lang));
  Json main = OfFinding(analysis.main);
  for (auto& [key, value] : main.items()) out[key] = std::move(value);
  out["context"] = Json::object();
  Optional(out["context"], "version", analysis.context.version);
  Optional(out["context"], "role", analysis.context.role);
  Optional(out["context"], "managed", analysis.context.managed);
  Optional(out["context"], "topology", analysis.context.topology);
  out["incidents"] = Array(analysis.incidents, OfFinding);
  Json engine = {{"llm", nullptr}};
  if (analysis.llm) {
    engine["llm"] = {
        {"provider", analysis.llm->provider}, {"model", analysis.llm->model}, {"dropped", analysis.llm->dropped}};
    Optional(engine["llm"], "error", analysis.llm->error);
  }
  if (debug && analysis.debug) {
    for (const auto& [key, value] : analysis.debug->items()) (key == "timings_ms" ? out[key] : engine[key]) = value;
  }
  out["engine"] = std::move(engine);
  return out;
}

}  // namespace redoubt::diagnose
