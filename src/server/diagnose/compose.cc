#include "server/diagnose/compose.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "server/diagnose/evidence.h"
#include "server/diagnose/line_head.h"
#include "text/utf8.h"

namespace redoubt::diagnose {
namespace {

using base::Lang;

constexpr size_t kMaxEvidence = 20;
constexpr size_t kMaxAlternatives = 3;
constexpr double kWorthNaming = 0.8;
constexpr size_t kHeadlineCharacters = 120;

bool For(const std::vector<std::string>& slugs, const std::string& slug) {
  return slugs.empty() || std::find(slugs.begin(), slugs.end(), slug) != slugs.end();
}

const RuleMode& ModeOf(const ComposeInput& input, const Candidate& candidate) {
  return input.rules.modes()[candidate.mode];
}

std::string Cut(const std::string& text, size_t characters) {
  size_t pos = 0;
  for (size_t count = 0; pos < text.size() && count < characters; ++count) text::DecodeUtf8(text, pos);
  return text.substr(0, pos);
}

std::string Reference(const Evidence& evidence, Lang lang) {
  if (!evidence.field.empty()) return fmt::format("{}={} [{}]", evidence.field, evidence.value, evidence.n);
  std::string quote = Cut(evidence.text, 100);
  size_t line = evidence.line.value_or(0);
  if (lang == Lang::kKo) return fmt::format("로그 {}행 \"{}\" [{}]", line, quote, evidence.n);
  return fmt::format("line {} \"{}\" [{}]", line, quote, evidence.n);
}

std::string Summary(const ComposeInput& input, const Decision& decision, const Finding& finding) {
  Lang lang = input.lang;
  std::string out = ModeOf(input, *decision.primary).mode->root_cause.In(lang);
  std::string seen;
  for (size_t i = 0; i < std::min<size_t>(3, finding.evidence.size()); ++i) {
    seen += (i == 0 ? "" : ", ") + Reference(finding.evidence[i], lang);
  }
  if (!seen.empty()) out += (lang == Lang::kKo ? " 근거: " : " Evidence: ") + seen + ".";
  if (finding.state == "recovered") {
    out += lang == Lang::kKo ? " 로그의 끝에서는 복구된 상태입니다." : " At the end of the log it has recovered.";
  }
  return out;
}

std::string RootCause(const ComposeInput& input, const Decision& decision) {
  std::string out = ModeOf(input, *decision.primary).mode->root_cause.In(input.lang);
  std::string effects;
  for (const Candidate* candidate : decision.chain) {
    if (candidate == decision.primary) continue;
    effects += (effects.empty() ? "" : " → ") + ModeOf(input, *candidate).mode->headline.In(input.lang);
  }
  if (!effects.empty()) out += (input.lang == Lang::kKo ? " 이어진 영향: " : " What followed: ") + effects + ".";
  return out;
}

std::vector<ChainLink> Chain(const ComposeInput& input, const Decision& decision,
                             const std::vector<Evidence>& evidence) {
  std::vector<ChainLink> out;
  if (decision.chain.size() < 2 && decision.state != "recovered") return out;
  for (const Candidate* candidate : decision.chain) {
    ChainLink link;
    link.failure_mode = ModeOf(input, *candidate).mode->slug;
    for (const Evidence& item : evidence) {
      if (item.supports != link.failure_mode) continue;
      link.evidence.push_back(item.n);
      if (link.at.empty()) link.at = item.at;
    }
    out.push_back(std::move(link));
  }
  return out;
}

std::string Sentence(const Command& command, Lang lang) {
  std::string out = fmt::format("{} `{}`", command.why, command.cmd);
  if (!command.check_first.empty()) {
    out += (lang == Lang::kKo ? " 먼저: " : " First: ") + command.check_first;
  }
  return out;
}

std::string_view Higher(std::string_view a, std::string_view b) {
  static const std::vector<std::string_view> order = {"read", "low", "high", "data-loss"};
  auto rank = [](std::string_view risk) { return std::find(order.begin(), order.end(), risk) - order.begin(); };
  return rank(a) >= rank(b) ? a : b;
}

// Checks, then safe fixes, then those that may cost data, then the proof.
std::vector<Step> Steps(const Finding& finding, Lang lang) {
  struct Part {
    const char* ko;
    const char* en;
    bool (*takes)(const Command&);
  };
  static const std::vector<Part> parts = {
      {"상태를 확인하세요", "Check the state", [](const Command& c) { return c.risk == "read"; }},
      {"안전한 조치를 적용하세요", "Apply the safe fixes", [](const Command& c) { return c.risk == "low"; }},
      {"영향을 확인한 뒤 적용하세요", "Apply after weighing the impact",
       [](const Command& c) { return c.risk == "high"; }},
      {"데이터를 잃을 수 있으니 조건이 맞을 때만 실행하세요", "Run only if the condition holds: data may be lost",
       [](const Command& c) { return c.risk == "data-loss"; }}};
  std::vector<Step> steps;
  for (const Part& part : parts) {
    Step step{lang == Lang::kKo ? part.ko : part.en, "", "read", {}};
    for (const Command& command : finding.commands) {
      if (!part.takes(command)) continue;
      step.commands.push_back(command.cmd);
      step.detail += (step.detail.empty() ? "" : " ") + command.why;
      if (!command.check_first.empty()) step.detail += " " + command.check_first;
      step.risk = std::string(Higher(step.risk, command.risk));
    }
    if (!step.commands.empty()) steps.push_back(std::move(step));
  }
  if (!finding.verify.empty()) {
    Step step{lang == Lang::kKo ? "복구를 확인하세요" : "Make sure that it recovered", "", "read", {}};
    for (const Verify& verify : finding.verify) {
      step.commands.push_back(verify.cmd);
      step.detail += (step.detail.empty() ? "" : ", ") + verify.expect;
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

std::string Meaning(const kb::Signal& signal, Lang lang) {
  if (!signal.means.ko.empty()) return signal.means.In(lang);
  if (!signal.metric.empty()) return signal.metric;
  return "";
}

std::vector<Alternative> Alternatives(const ComposeInput& input, const Decision& decision) {
  std::vector<Alternative> out;
  for (const Candidate& candidate : input.scores.incidents) {
    bool told = std::find(decision.chain.begin(), decision.chain.end(), &candidate) != decision.chain.end();
    if (&candidate == decision.primary || told || candidate.score < kWorthNaming) continue;
    const RuleMode& mode = ModeOf(input, candidate);
    Alternative item;
    item.failure_mode = mode.mode->slug;
    item.confidence = std::round(candidate.probability * 100) / 100;
    item.next_check = mode.mode->next_check;
    std::vector<const RuleSignal*> unseen;
    for (const RuleSignal& rule : mode.signals) {
      bool hit = std::any_of(candidate.hits.begin(), candidate.hits.end(),
                             [&](const SignalHit& h) { return h.rule == &rule; });
      if (!hit && rule.signal->weight > 0 && !Meaning(*rule.signal, input.lang).empty()) unseen.push_back(&rule);
    }
    std::stable_sort(unseen.begin(), unseen.end(),
                     [](const RuleSignal* a, const RuleSignal* b) { return a->signal->weight > b->signal->weight; });
    for (size_t i = 0; i < std::min<size_t>(2, unseen.size()); ++i)
      item.missing.push_back(Meaning(*unseen[i]->signal, input.lang));
    for (const SignalHit& hit : candidate.against) {
      std::string meaning = Meaning(*hit.rule->signal, input.lang);
      if (!meaning.empty()) item.contradicted_by.push_back(meaning);
    }
    out.push_back(std::move(item));
    if (out.size() == kMaxAlternatives) break;
  }
  return out;
}

std::vector<std::string> NotSeen(const ComposeInput& input, const Decision& decision) {
  std::vector<std::string> out;
  bool ko = input.lang == Lang::kKo;
  if (input.facts.field_count() == 0) {
    out.push_back(ko ? "INFO 지표가 없어 메모리, 연결, 복제 상태를 수치로 확인하지 못했습니다."
                     : "No INFO figures: memory, connections and replication could not be checked by number.");
  } else if (!input.facts.has_before()) {
    out.push_back(ko ? "관측이 한 번뿐이라 누적 카운터가 지금도 늘고 있는지 알 수 없습니다."
                     : "There is a single observation: whether lifetime counters still rise is not known.");
  }
  if (input.text.server_log_lines == 0) {
    out.push_back(ko ? "서버 로그가 없어 원인 직전의 기록을 보지 못했습니다."
                     : "No server log: what was recorded before the fault could not be seen.");
  }
  std::string fields;
  std::set<std::string> named;
  for (const std::string& field : decision.primary->unknown_fields) {
    if (field.find('(') != std::string::npos || named.size() >= 6 || !named.insert(field).second) continue;
    fields += (fields.empty() ? "" : ", ") + field;
  }
  if (!fields.empty()) {
    out.push_back(fmt::format(
        "{}{}", ko ? "판단에 쓰이지만 관측되지 않은 항목: " : "Would decide, but were not observed: ", fields));
  }
  return out;
}

}  // namespace

Finding Compose(const ComposeInput& input, const Decision& decision) {
  const RuleMode& mode = ModeOf(input, *decision.primary);
  Lang lang = input.lang;
  Finding out;
  out.category = mode.mode->category;
  out.failure_mode = mode.mode->slug;
  out.severity = decision.severity;
  out.confidence = decision.confidence;
  out.state = decision.state;
  out.started_at = decision.started_at;
  out.ended_at = decision.ended_at;
  out.writes = decision.impact.writes;
  out.reads = decision.impact.reads;
  out.data_at_risk = decision.impact.data_at_risk;
  std::string where = input.instance_name.empty() ? "" : "[" + input.instance_name + "] ";
  out.headline = Cut(where + mode.mode->headline.In(lang), kHeadlineCharacters);
  // The chain's effects are part of the incident, so their evidence is too.
  out.evidence = CollectEvidence(input, decision.chain, kMaxEvidence);
  out.root_cause = RootCause(input, decision);
  out.first_action = mode.mode->first_action.In(lang);
  out.escalate_if = mode.mode->escalate_if.In(lang);
  std::vector<const Candidate*> order = {decision.primary};
  for (const Candidate* candidate : decision.chain) {
    if (candidate != decision.primary) order.push_back(candidate);
  }
  out.commands = OfferedCommands(input, order);
  for (const kb::Action& action : mode.entry->actions) {
    if (action.use == "verify" && For(action.failure_modes, mode.mode->slug) && out.verify.size() < 4) {
      out.verify.push_back({action.cmd.In(lang), action.expect.In(lang)});
    }
  }
  for (const kb::Warning& warning : mode.entry->do_not) {
    if (For(warning.failure_modes, mode.mode->slug))
      out.do_not.push_back({warning.action.In(lang), warning.why.In(lang)});
  }
  if (!out.first_action.empty()) out.immediate_actions.push_back(out.first_action);
  for (const Command& command : out.commands) {
    if (out.immediate_actions.size() >= 4) break;
    if (command.risk == "low" || command.risk == "high") out.immediate_actions.push_back(Sentence(command, lang));
  }
  for (const base::LocalText& text : mode.entry->prevention) out.prevention.push_back(text.In(lang));
  out.steps = Steps(out, lang);
  out.chain = Chain(input, decision, out.evidence);
  out.alternatives = Alternatives(input, decision);
  out.not_seen = NotSeen(input, decision);
  out.summary = Summary(input, decision, out);
  return out;
}

}  // namespace redoubt::diagnose
